// Draws recent voice activity as it scrolls by: input level, speech, pauses and endpoints; and, for an engine that
// predicts pauses, a curve of the probability of each pause length.

import { FRAME_SAMPLES, SAMPLE_RATE } from "../../audio/frame-ring.js"
import { clock } from "../../web/clock.js"

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

export class ActivityStrip {
  #canvas
  #context
  #legend
  #activity
  #colors = {}
  #width = 0
  #height = 0
  #lastFrameAt = 0
  #lastDrawn = 0
  #request = null
  #reducedMotion = matchMedia("(prefers-reduced-motion: reduce)")

  constructor({ canvas, legend, activity }) {
    this.#canvas = canvas
    this.#context = canvas.getContext("2d")
    this.#legend = legend
    this.#activity = activity
    new ResizeObserver(() => this.#resize()).observe(canvas)
    new MutationObserver(() => this.#readColors()).observe(document.documentElement, {
      attributeFilter: ["data-theme"],
    })
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#readColors())
    this.#readColors()
  }

  // The session time drawn at an x coordinate, in seconds; null where nothing is drawn.
  secondsAt(clientX) {
    const x = clientX - this.#canvas.getBoundingClientRect().left
    const frame = this.#activity.length - (this.#width - x) / STEP_PX
    return frame < 0 ? null : (frame * FRAME_MS) / 1000
  }

  // Called for each recorded frame: keep scrolling until no more arrive.
  wake() {
    this.#canvas.hidden = false
    this.#lastFrameAt = performance.now()
    this.#request ??= requestAnimationFrame((now) => this.#animate(now))
  }

  hide() {
    this.#canvas.hidden = true
  }

  draw(offset = 0) {
    const context = this.#context
    context.clearRect(0, 0, this.#width, this.#height)
    this.#drawSeconds(offset)
    const count = Math.ceil(this.#width / STEP_PX) + 1
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
    return this.#width - (this.#activity.length - frame) * STEP_PX + offset
  }

  #drawBar(frame, offset) {
    if (frame < 0) return
    const speech = this.#activity.speechAt(frame)
    const decibels = 20 * Math.log10(this.#activity.levelAt(frame) + 1e-6)
    const loudness = Math.min(1, Math.max(0, (decibels - QUIET_DB) / (LOUD_DB - QUIET_DB)))
    const height = Math.max(2, loudness * (this.#height - 22))
    const middle = (this.#height - 14) / 2
    this.#context.fillStyle = Number.isNaN(speech)
      ? this.#colors.unprocessed
      : speech >= 0.5 ? this.#colors.speech : this.#colors.silence
    this.#context.beginPath()
    this.#context.roundRect(this.#xOf(frame, offset), middle - height / 2, BAR_PX, height, BAR_PX / 2)
    this.#context.fill()
  }

  #drawHead(head, offset) {
    const context = this.#context
    const bottom = this.#height - 16
    context.beginPath()
    let isDrawn = false
    const first = this.#activity.length - Math.ceil(this.#width / STEP_PX) - 1
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
    context.strokeStyle = this.#colors.head
    context.lineWidth = 1.5
    context.stroke()
    context.globalAlpha = 1
  }

  #drawMark({ frame, kind }, offset) {
    const x = this.#xOf(frame, offset) - GAP_PX / 2
    if (x < 0) return
    this.#context.fillStyle = this.#colors[kind]
    if (kind === "pause") {
      this.#context.fillRect(x - 2, 4, 1.5, this.#height - 22)
      this.#context.fillRect(x + 1, 4, 1.5, this.#height - 22)
    } else {
      this.#context.fillRect(x - 0.5, 2, 1, this.#height - 18)
      this.#context.beginPath()
      this.#context.arc(x, 3, 2.5, 0, 2 * Math.PI)
      this.#context.fill()
    }
  }

  #drawSeconds(offset) {
    const framesPerLabel = (10 * SAMPLE_RATE) / FRAME_SAMPLES
    const newest = Math.floor(this.#activity.length / framesPerLabel) * framesPerLabel
    this.#context.fillStyle = this.#colors.label
    for (let frame = newest; frame > 0 && this.#xOf(frame, offset) > 24; frame -= framesPerLabel) {
      this.#context.fillText(clock((frame / framesPerLabel) * 10), this.#xOf(frame, offset), this.#height - 2)
    }
  }

  #resize() {
    const ratio = devicePixelRatio
    this.#width = this.#canvas.clientWidth
    this.#height = this.#canvas.clientHeight
    this.#canvas.width = Math.round(this.#width * ratio)
    this.#canvas.height = Math.round(this.#height * ratio)
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0)
    this.#context.textAlign = "center"
    this.#readColors()
  }

  #readColors() {
    const style = getComputedStyle(this.#canvas)
    for (const name of ["speech", "silence", "unprocessed", "endpoint", "pause", "label", "head"]) {
      // The computed value of `color` is in a format that a canvas understands, whatever CSS defines it.
      this.#canvas.style.setProperty("color", `var(--strip-${name})`)
      this.#colors[name] = style.color
    }
    this.#context.font = `11px ${style.fontFamily}`
    this.draw()
  }
}
