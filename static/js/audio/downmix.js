// Mono from the channels of a microphone. If two of them cancel each other, as a cable that is wired the wrong way makes
// them, the louder one is taken: where their mean has less than a tenth of its power, until it has a fifth again.
// speech/batch/decoder/downmix.py has the same rule for recordings.

const CANCELED = 0.1 // power of the mean, as a share of the louder channel's
const RESTORED = 0.2
const LOUDER = 2 // ratio of the channels' power from which the other one is taken
const INAUDIBLE = 1e-7 // power: -70 dB
const MEMORY_S = 0.05 // over which power is measured: speech outweighs the pause before it at once
const FADE_S = 0.01 // from one choice to another, so that nothing clicks

export class Downmix {
  #rate
  #mono = new Float32Array(128)
  #power = { left: 0, right: 0, mean: 0 }
  #choice = null // "left" "right", or null for the mean
  #weight = 0.5 // of the left channel; the other one has the rest

  constructor(rate) {
    this.#rate = rate
  }

  // channels: [float32[n], …]. Returns float32[n], valid until the next call. Safari has delivered blocks of lengths
  // other than 128.
  process(channels) {
    if (channels.length === 1) return channels[0]
    const { length } = channels[0]
    if (this.#mono.length !== length) this.#mono = new Float32Array(length)
    if (channels.length === 2) this.#mixTwo(...channels)
    else this.#average(channels)
    return this.#mono
  }

  #average(channels) {
    for (let i = 0; i < this.#mono.length; i++) {
      let sum = 0
      for (const channel of channels) sum += channel[i]
      this.#mono[i] = sum / channels.length
    }
  }

  #mixTwo(left, right) {
    this.#choose(left, right)
    const target = this.#choice === null ? 0.5 : this.#choice === "left" ? 1 : 0
    const step = 1 / (FADE_S * this.#rate)
    for (let i = 0; i < left.length; i++) {
      this.#weight += Math.max(-step, Math.min(step, target - this.#weight))
      this.#mono[i] = this.#weight * left[i] + (1 - this.#weight) * right[i]
    }
  }

  #choose(left, right) {
    const { left: l, right: r, mean } = this.#measure(left, right)
    const louder = Math.max(l, r)
    if (louder < INAUDIBLE) return
    if (mean > (this.#choice === null ? CANCELED : RESTORED) * louder) this.#choice = null
    else if (this.#choice === null) this.#choice = l >= r ? "left" : "right"
    else if (this.#choice === "left" && r > LOUDER * l) this.#choice = "right"
    else if (this.#choice === "right" && l > LOUDER * r) this.#choice = "left"
  }

  #measure(left, right) {
    const power = { left: 0, right: 0, mean: 0 }
    for (let i = 0; i < left.length; i++) {
      power.left += left[i] ** 2
      power.right += right[i] ** 2
      power.mean += ((left[i] + right[i]) / 2) ** 2
    }
    const kept = Math.exp(-left.length / (MEMORY_S * this.#rate))
    for (const name in power) this.#power[name] = kept * this.#power[name] + ((1 - kept) * power[name]) / left.length
    return this.#power
  }
}
