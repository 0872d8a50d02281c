// Draws how loud both sides were in the last seconds: from the large button outwards, the user on the left and the
// assistant on the right.

import { ThemedCanvas } from "../../web/themed-canvas.js"

const BAR_PX = 4
const STEP_PX = 8
const GAP_PX = 16 // beside the button
const FRAME_MS = 80
const IDLE_AFTER_MS = 400
const REDRAW_MS = 30
const REDRAW_WITHOUT_MOTION_MS = 1000
const MIN_BAR_PX = 4
const COLORS = { user: "--listening", assistant: "--speaking", still: "--line" }

export class SoundView {
  #canvas
  #levels
  #button
  #lastFrameAt = 0
  #lastDrawn = 0
  #request = null
  #reducedMotion = matchMedia("(prefers-reduced-motion: reduce)")

  // levels: a LevelHistory; button: the element in the middle.
  constructor({ canvas, button, levels }) {
    this.#levels = levels
    this.#button = button
    this.#canvas = new ThemedCanvas({ element: canvas, colors: COLORS, changed: () => this.draw() })
  }

  // Called for each recorded frame: keep moving until no more arrive.
  wake() {
    this.#lastFrameAt = performance.now()
    this.#request ??= requestAnimationFrame((now) => this.#animate(now))
  }

  draw(offset = 0) {
    const { context, width, height } = this.#canvas
    context.clearRect(0, 0, width, height)
    const gap = this.#button.offsetWidth / 2 + GAP_PX
    const count = Math.ceil((width / 2 - gap) / STEP_PX)
    for (let ago = 0; ago < count; ago++) {
      const distance = gap + ago * STEP_PX + offset
      context.globalAlpha = Math.max(0, 1 - (ago + offset / STEP_PX) / count) ** 0.8
      this.#drawBar(width / 2 - distance - BAR_PX, this.#levels.userAt(ago), "user")
      this.#drawBar(width / 2 + distance, this.#levels.assistantAt(ago), "assistant")
    }
    context.globalAlpha = 1
  }

  #drawBar(x, level, side) {
    const { context, height, colors } = this.#canvas
    const length = Math.max(MIN_BAR_PX, level * (height - 8))
    context.fillStyle = level > 0.02 ? colors[side] : colors.still
    context.beginPath()
    context.roundRect(x, (height - length) / 2, BAR_PX, length, BAR_PX / 2)
    context.fill()
  }

  #animate(now) {
    const isIdle = now - this.#lastFrameAt > IDLE_AFTER_MS
    this.#request = isIdle ? null : requestAnimationFrame((next) => this.#animate(next))
    const wantsNoMotion = this.#reducedMotion.matches
    if (!isIdle && now - this.#lastDrawn < (wantsNoMotion ? REDRAW_WITHOUT_MOTION_MS : REDRAW_MS)) return
    this.#lastDrawn = now
    const share = isIdle || wantsNoMotion ? 0 : Math.min(1, Math.max(0, (now - this.#lastFrameAt) / FRAME_MS))
    this.draw(share * STEP_PX)
  }
}
