// What the audio thread does with speech that is still being made: 24 kHz in, any rate out, nothing heard of the joints.
//
// It begins as soon as a little is there. When it runs dry it fades out, waits for twice as much, and goes on where it
// was; so it waits the less the better the network is, and stumbles rarely where it is bad.

import { Resampler } from "./resampler.js"

export const RATE = 24000
export const SHORTEST_WAIT = 0.1 // seconds of speech before the first sound
const LONGEST_WAIT = 3
const FADE = 0.005 // seconds

export class Playout {
  state = "waiting" // playing stopping over
  underruns = 0
  wait // seconds
  #chunks = []
  #offset = 0 // in the first chunk
  #held = 0 // samples
  #taken = 0 // of them, so far
  #handed = 0 // samples at the rate of the context
  #hasAll = false
  #resampler
  #ready = new Float32Array(0) // resampled, not handed out
  #rate
  #fade
  #gain = 0

  constructor(rate, wait = SHORTEST_WAIT) {
    this.wait = wait
    this.#rate = rate
    this.#resampler = new Resampler(RATE, rate)
    this.#fade = Math.max(1, Math.round(FADE * rate))
  }

  // samples: int16[n].
  push(samples) {
    if (samples.length === 0) return
    this.#chunks.push(samples)
    this.#held += samples.length
  }

  // Nothing follows.
  end() {
    this.#hasAll = true
  }

  // Silence within the length of a fade.
  stop() {
    if (this.state === "playing") this.state = "stopping"
    else if (this.state === "waiting") this.state = "over"
  }

  // Fills out: float32[n] at the rate of the context.
  render(out) {
    out.fill(0)
    if (this.state === "waiting" && this.#mayBegin) this.state = "playing"
    if (this.state === "waiting" || this.state === "over") return
    const block = this.#take(out.length + this.#fade)
    const count = Math.min(out.length, block.length)
    // The sound is gone before there is no more; if more comes meanwhile it swells again.
    const fadeFrom = this.state === "stopping" ? 0 : block.length - this.#fade
    for (let i = 0; i < count; i++) {
      this.#gain = i < fadeFrom ? Math.min(1, this.#gain + 1 / this.#fade) : Math.max(0, this.#gain - 1 / this.#fade)
      out[i] = block[i] * this.#gain
    }
    this.#ready = block.subarray(count)
    this.#handed += count
    if (this.state === "stopping" && this.#gain === 0) this.#finish()
    else if (this.#isDry) this.#hasAll || this.state === "stopping" ? this.#finish() : this.#wait()
  }

  // Samples of the speech that were handed out.
  get played() {
    return Math.min(this.#taken, Math.round((this.#handed * RATE) / this.#rate))
  }

  get #mayBegin() {
    return this.#hasAll || this.#held >= this.wait * RATE
  }

  get #isDry() {
    return this.#held === 0 && this.#ready.length === 0
  }

  // Resampled speech, `length` of it or what there is.
  #take(length) {
    const parts = [this.#ready]
    let count = this.#ready.length
    while (count < length && this.#held > 0) {
      const part = this.#resampler.process(this.#next()).slice()
      parts.push(part)
      count += part.length
    }
    return parts.length === 1 ? this.#ready : concatenated(parts, count)
  }

  // float32[n], a frame or so of what is held.
  #next() {
    const chunk = this.#chunks[0]
    const part = chunk.subarray(this.#offset, this.#offset + 480)
    this.#offset += part.length
    this.#held -= part.length
    this.#taken += part.length
    if (this.#offset === chunk.length) {
      this.#chunks.shift()
      this.#offset = 0
    }
    return Float32Array.from(part, (value) => value / 32768)
  }

  #wait() {
    this.#gain = 0
    this.underruns += 1
    this.wait = Math.min(LONGEST_WAIT, this.wait * 2)
    this.state = "waiting"
  }

  #finish() {
    this.state = "over"
    this.#chunks = []
    this.#held = 0
  }
}

function concatenated(parts, length) {
  const whole = new Float32Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
