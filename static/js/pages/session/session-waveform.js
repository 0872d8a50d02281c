// Draws a whole session: loudness, speech, search results and the playback position.

import { ThemedCanvas } from "../../web/themed-canvas.js"

const BAR_PX = 3
const STEP_PX = 4
const PEAKS_PER_SECOND = 20
const LOUDNESS_EXPONENT = 0.8 // keeps quiet speech visible beside loud speech
const COLORS = { speech: "--wave-speech", silence: "--wave-silence", found: "--wave-found", now: "--wave-now" }

export class SessionWaveform {
  #canvas
  #seconds
  #words
  #peaks = null
  #loudest = 255
  #position = 0

  // words: a WordsView; seconds: duration of the session.
  constructor({ canvas, seconds, words }) {
    this.#canvas = new ThemedCanvas({ element: canvas, colors: COLORS, changed: () => this.draw() })
    this.#seconds = seconds
    this.#words = words
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
    const { left, width } = this.#canvas.element.getBoundingClientRect()
    return Math.max(0, Math.min(1, (clientX - left) / width)) * this.#seconds
  }

  draw() {
    const { context, width, height, colors } = this.#canvas
    if (!width) return
    context.clearRect(0, 0, width, height)
    const perBar = (this.#seconds * STEP_PX) / width
    for (let bar = 0; bar * STEP_PX < width; bar++) this.#drawBar(bar, bar * perBar, (bar + 1) * perBar)
    context.fillStyle = colors.found
    for (const found of this.#words.found) context.fillRect(this.#xOf(found) - 1, 0, 3, 5)
    context.fillStyle = colors.now
    context.fillRect(this.#xOf(this.#position) - 1, 0, 2, height)
  }

  #drawBar(bar, start, end) {
    const { context, height, colors } = this.#canvas
    const isSpeech = this.#words.timeline.hasSpeechBetween(start, end)
    const length = Math.max(2, this.#loudness(start, end, isSpeech) * (height - 12))
    context.globalAlpha = end <= this.#position ? 1 : 0.55
    context.fillStyle = isSpeech ? colors.speech : colors.silence
    context.beginPath()
    context.roundRect(bar * STEP_PX, (height + 4 - length) / 2, BAR_PX, length, BAR_PX / 2)
    context.fill()
    context.globalAlpha = 1
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
    return (seconds / this.#seconds) * this.#canvas.width
  }
}
