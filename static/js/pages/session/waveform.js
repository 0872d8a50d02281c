// Draws a whole session: how loud it was, where in it somebody speaks, what was searched for, and where one is.

const BAR_PX = 3
const STEP_PX = 4
const PEAKS_PER_SECOND = 20
const SOFTENED = 0.8 // so that quiet speech is still seen beside loud
const COLOURS = ["speech", "silence", "ahead", "found", "now"]

export class Waveform {
  #canvas
  #context
  #seconds
  #words
  #peaks = null
  #loudest = 255
  #at = 0
  #width = 0
  #height = 0
  #colours = {}

  // words: a WordsView; seconds: how long all of it is.
  constructor({ canvas, seconds, words }) {
    this.#canvas = canvas
    this.#context = canvas.getContext("2d")
    this.#seconds = seconds
    this.#words = words
    new ResizeObserver(() => this.#resize()).observe(canvas)
    new MutationObserver(() => this.#readColours()).observe(document.documentElement, { attributeFilter: ["data-theme"] })
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#readColours())
  }

  // Bytes, 20 a second.
  set peaks(peaks) {
    this.#peaks = peaks
    this.#loudest = peaks.reduce((loudest, peak) => Math.max(loudest, peak), 1)
    this.draw()
  }

  set at(seconds) {
    this.#at = seconds
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
    context.fillStyle = this.#colours.found
    for (const found of this.#words.found) context.fillRect(this.#xOf(found) - 1, 0, 3, 5)
    context.fillStyle = this.#colours.now
    context.fillRect(this.#xOf(this.#at) - 1, 0, 2, this.#height)
  }

  #drawBar(bar, start, end) {
    const speaks = this.#words.timeline.speaksBetween(start, end)
    const height = Math.max(2, this.#loudness(start, end, speaks) * (this.#height - 12))
    this.#context.globalAlpha = end <= this.#at ? 1 : 0.55
    this.#context.fillStyle = speaks ? this.#colours.speech : this.#colours.silence
    this.#context.beginPath()
    this.#context.roundRect(bar * STEP_PX, (this.#height + 4 - height) / 2, BAR_PX, height, BAR_PX / 2)
    this.#context.fill()
    this.#context.globalAlpha = 1
  }

  // 0 to 1. Without sound all speech is as loud.
  #loudness(start, end, speaks) {
    if (!this.#peaks) return speaks ? 0.45 : 0
    const first = Math.floor(start * PEAKS_PER_SECOND)
    const last = Math.max(first + 1, Math.floor(end * PEAKS_PER_SECOND))
    let peak = 0
    for (let i = first; i < last; i++) peak = Math.max(peak, this.#peaks[i] ?? 0)
    return (peak / this.#loudest) ** SOFTENED
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
    this.#readColours()
  }

  #readColours() {
    const style = getComputedStyle(this.#canvas)
    for (const name of COLOURS) {
      // As a property's computed value a colour is one that a canvas understands, whatever it was made from.
      this.#canvas.style.setProperty("color", `var(--wave-${name})`)
      this.#colours[name] = style.color
    }
    this.draw()
  }
}
