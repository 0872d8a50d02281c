// Draws recent voice activity as it scrolls by: input level, speech, pauses and endpoints; and, for an engine that
// predicts pauses, a curve of the probability of each pause length.

import { FRAME_SAMPLES, SAMPLE_RATE } from "../../audio/samples.js"
import { clock } from "../../web/clock.js"
import { ThemedCanvas } from "../../web/themed-canvas.js"

const BAR_PX = 4
const GAP_PX = 2
const STEP_PX = BAR_PX + GAP_PX
const FRAME_MS = (FRAME_SAMPLES / SAMPLE_RATE) * 1000
const HEAD_OPACITIES = [1, 0.75, 0.5, 0.3] // as in the legend
const QUIET_DB = -52
const LOUD_DB = -10
const IDLE_AFTER_MS = 400
const REDRAW_MS = 30 // looks as smooth as drawing every display frame, at half the work
const REDRAW_WITHOUT_MOTION_MS = 1000
const COLORS = {
  speech: "--strip-speech",
  silence: "--strip-silence",
  unprocessed: "--strip-unprocessed",
  endpoint: "--strip-endpoint",
  pause: "--strip-pause",
  label: "--strip-label",
  head: "--strip-head",
}

export class ActivityStrip {
  #canvas
  #legend
  #activity
  #lastFrameAt = 0
  #lastDrawn = 0
  #request = null
  #reducedMotion = matchMedia("(prefers-reduced-motion: reduce)")

  constructor({ canvas, legend, activity }) {
    this.#canvas = new ThemedCanvas({ element: canvas, colors: COLORS, changed: () => this.#prepare() })
    this.#legend = legend
    this.#activity = activity
  }

  // The session time drawn at an x coordinate, in seconds; null where nothing is drawn.
  secondsAt(clientX) {
    const x = clientX - this.#canvas.element.getBoundingClientRect().left
    const frame = this.#activity.length - (this.#canvas.width - x) / STEP_PX
    return frame < 0 ? null : (frame * FRAME_MS) / 1000
  }

  // Called for each recorded frame: keep scrolling until no more arrive.
  wake() {
    this.#canvas.element.hidden = false
    this.#lastFrameAt = performance.now()
    this.#request ??= requestAnimationFrame((now) => this.#animate(now))
  }

  hide() {
    this.#canvas.element.hidden = true
  }

  draw(offset = 0) {
    const { context, width, height } = this.#canvas
    context.clearRect(0, 0, width, height)
    this.#drawSeconds(offset)
    const count = Math.ceil(width / STEP_PX) + 1
    for (let i = 0; i < count; i++) this.#drawBar(this.#activity.length - 1 - i, offset)
    for (let head = 0; head < this.#activity.heads; head++) this.#drawHead(head, offset)
    for (const mark of this.#activity.marks) this.#drawMark(mark, offset)
    this.#legend.hidden = this.#activity.heads === 0
  }

  #animate(now) {
    const isIdle = now - this.#lastFrameAt > IDLE_AFTER_MS
    this.#request = isIdle ? null : requestAnimationFrame((next) => this.#animate(next))
    const wantsNoMotion = this.#reducedMotion.matches
    const sinceDrawn = now - this.#lastDrawn
    if (!isIdle && sinceDrawn < (wantsNoMotion ? REDRAW_WITHOUT_MOTION_MS : REDRAW_MS)) return
    this.#lastDrawn = now
    const share = isIdle || wantsNoMotion ? 1 : Math.min(1, Math.max(0, (now - this.#lastFrameAt) / FRAME_MS))
    this.draw((1 - share) * STEP_PX)
  }

  // The newest bar slides in from the right edge within the duration of a frame.
  #xOf(frame, offset) {
    return this.#canvas.width - (this.#activity.length - frame) * STEP_PX + offset
  }

  #drawBar(frame, offset) {
    if (frame < 0) return
    const speech = this.#activity.speechAt(frame)
    const decibels = 20 * Math.log10(this.#activity.levelAt(frame) + 1e-6)
    const loudness = Math.min(1, Math.max(0, (decibels - QUIET_DB) / (LOUD_DB - QUIET_DB)))
    const { context, height, colors } = this.#canvas
    const length = Math.max(2, loudness * (height - 22))
    const middle = (height - 14) / 2
    context.fillStyle = Number.isNaN(speech) ? colors.unprocessed : speech >= 0.5 ? colors.speech : colors.silence
    context.beginPath()
    context.roundRect(this.#xOf(frame, offset), middle - length / 2, BAR_PX, length, BAR_PX / 2)
    context.fill()
  }

  #drawHead(head, offset) {
    const { context, width, height, colors } = this.#canvas
    const bottom = height - 16
    context.beginPath()
    let isDrawn = false
    const first = this.#activity.length - Math.ceil(width / STEP_PX) - 1
    for (let frame = Math.max(0, first); frame < this.#activity.length; frame++) {
      const pause = this.#activity.pauseAt(head, frame)
      if (Number.isNaN(pause)) isDrawn = false
      else {
        const x = this.#xOf(frame, offset) + BAR_PX / 2
        const y = bottom - pause * (bottom - 2)
        isDrawn ? context.lineTo(x, y) : context.moveTo(x, y)
        isDrawn = true
      }
    }
    context.globalAlpha = HEAD_OPACITIES[head]
    context.strokeStyle = colors.head
    context.lineWidth = 1.5
    context.stroke()
    context.globalAlpha = 1
  }

  #drawMark({ frame, kind }, offset) {
    const x = this.#xOf(frame, offset) - GAP_PX / 2
    if (x < 0) return
    const { context, height, colors } = this.#canvas
    context.fillStyle = colors[kind]
    if (kind === "pause") {
      context.fillRect(x - 2, 4, 1.5, height - 22)
      context.fillRect(x + 1, 4, 1.5, height - 22)
    } else {
      context.fillRect(x - 0.5, 2, 1, height - 18)
      context.beginPath()
      context.arc(x, 3, 2.5, 0, 2 * Math.PI)
      context.fill()
    }
  }

  #drawSeconds(offset) {
    const framesPerLabel = (10 * SAMPLE_RATE) / FRAME_SAMPLES
    const newest = Math.floor(this.#activity.length / framesPerLabel) * framesPerLabel
    const { context, height, colors } = this.#canvas
    context.fillStyle = colors.label
    for (let frame = newest; frame > 0 && this.#xOf(frame, offset) > 24; frame -= framesPerLabel) {
      context.fillText(clock((frame / framesPerLabel) * 10), this.#xOf(frame, offset), height - 2)
    }
  }

  #prepare() {
    const { context, element } = this.#canvas
    context.textAlign = "center"
    context.font = `11px ${getComputedStyle(element).fontFamily}`
    this.draw()
  }
}
