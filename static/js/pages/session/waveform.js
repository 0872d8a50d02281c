// Draws a whole session: loudness, speech, search results and the playback position.

const BAR_PX = 3
const STEP_PX = 4
const PEAKS_PER_SECOND = 20
const LOUDNESS_EXPONENT = 0.8 // keeps quiet speech visible beside loud speech
const COLORS = ["speech", "silence", "ahead", "found", "now"]

export class Waveform {
  #canvas
  #context
  #seconds
  #words
  #peaks = null
  #loudest = 255
  #position = 0
  #width = 0
  #height = 0
  #colors = {}

  // words: a WordsView; seconds: duration of the session.
  constructor({ canvas, seconds, words }) {
    this.#canvas = canvas
    this.#context = canvas.getContext("2d")
    this.#seconds = seconds
    this.#words = words
    new ResizeObserver(() => this.#resize()).observe(canvas)
    new MutationObserver(() => this.#readColors()).observe(document.documentElement, { attributeFilter: ["data-theme"] })
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#readColors())
  }

  // Bytes, 20 per second.
  set peaks(peaks) {
    this.#peaks = peaks
    this.#loudest = peaks.reduce((loudest, peak) => Math.max(loudest, peak), 1)
    this.draw()
  }

  set at(seconds) {
    this.#position = seconds
    this.draw()
  }

  secondsAt(clientX) {
    const { left, width } = this.#canvas.getBoundingClientRect()
    return Math.max(0, Math.min(1, (clientX - left) / width)) * this.#seconds
  }

  draw() {
    if (!this.#width) return
    const context = this.#context
    context.clearRect(0, 0, this.#width, this.#height)
    const perBar = (this.#seconds * STEP_PX) / this.#width
    for (let bar = 0; bar * STEP_PX < this.#width; bar++) this.#drawBar(bar, bar * perBar, (bar + 1) * perBar)
    context.fillStyle = this.#colors.found
    for (const found of this.#words.found) context.fillRect(this.#xOf(found) - 1, 0, 3, 5)
    context.fillStyle = this.#colors.now
    context.fillRect(this.#xOf(this.#position) - 1, 0, 2, this.#height)
  }

  #drawBar(bar, start, end) {
    const isSpeech = this.#words.timeline.hasSpeechBetween(start, end)
    const height = Math.max(2, this.#loudness(start, end, isSpeech) * (this.#height - 12))
    this.#context.globalAlpha = end <= this.#position ? 1 : 0.55
    this.#context.fillStyle = isSpeech ? this.#colors.speech : this.#colors.silence
    this.#context.beginPath()
    this.#context.roundRect(bar * STEP_PX, (this.#height + 4 - height) / 2, BAR_PX, height, BAR_PX / 2)
    this.#context.fill()
    this.#context.globalAlpha = 1
  }

  // 0 to 1. Without audio all speech has the same loudness.
  #loudness(start, end, isSpeech) {
    if (!this.#peaks) return isSpeech ? 0.45 : 0
    const first = Math.floor(start * PEAKS_PER_SECOND)
    const last = Math.max(first + 1, Math.floor(end * PEAKS_PER_SECOND))
    let peak = 0
    for (let i = first; i < last; i++) peak = Math.max(peak, this.#peaks[i] ?? 0)
    return (peak / this.#loudest) ** LOUDNESS_EXPONENT
  }

  #xOf(seconds) {
    return (seconds / this.#seconds) * this.#width
  }

  #resize() {
    const ratio = devicePixelRatio
    this.#width = this.#canvas.clientWidth
    this.#height = this.#canvas.clientHeight
    this.#canvas.width = Math.round(this.#width * ratio)
    this.#canvas.height = Math.round(this.#height * ratio)
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0)
    this.#readColors()
  }

  #readColors() {
    const style = getComputedStyle(this.#canvas)
    for (const name of COLORS) {
      // The computed value of `color` is in a format that a canvas understands, whatever CSS defines it.
      this.#canvas.style.setProperty("color", `var(--wave-${name})`)
      this.#colors[name] = style.color
    }
    this.draw()
  }
}
