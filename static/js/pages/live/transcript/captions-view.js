// The newest words only, large and full-screen, for reading at a distance.

import { gap, joinWords, textOfWords } from "../../../text/word-spacing.js"
import { recall, remember } from "../../../web/local-storage.js"

const STORAGE_KEY = "live-captions"
const SIZES = 6
const SHOWN_WORDS = 80 // more than fit on the screen

export class CaptionsView {
  #dialog
  #parts
  #transcript
  #isScheduled = false

  constructor({ dialog, transcript }) {
    this.#dialog = dialog
    this.#transcript = transcript
    this.#parts = Object.fromEntries([...dialog.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]))
    const { screen, look, smaller, larger, close } = this.#parts
    this.#applyStyle(recall(STORAGE_KEY) ?? {})
    look.addEventListener("change", () => this.#applyStyle({ look: look.value }))
    smaller.addEventListener("click", () => this.#applyStyle({ size: this.#size - 1 }))
    larger.addEventListener("click", () => this.#applyStyle({ size: this.#size + 1 }))
    close.addEventListener("click", () => dialog.close())
    dialog.addEventListener("close", () => document.fullscreenElement && document.exitFullscreen())
    screen.addEventListener("fullscreenchange", () => document.fullscreenElement || dialog.close())
    for (const name of ["word", "interim", "rewind", "clear"]) transcript.addEventListener(name, () => this.#scheduleShow())
  }

  toggle() {
    this.#dialog.open ? this.#dialog.close() : this.#open()
  }

  #open() {
    this.#dialog.showModal()
    this.#show()
    this.#parts.screen.requestFullscreen?.().catch(() => {}) // where full screen is forbidden, captions fill the window
  }

  get #size() {
    return Number(this.#parts.screen.dataset.size)
  }

  #applyStyle({ size = this.#size, look = this.#parts.look.value }) {
    const { screen, smaller, larger } = this.#parts
    const clamped = Math.min(SIZES, Math.max(1, size))
    Object.assign(screen.dataset, { size: clamped, look })
    this.#parts.look.value = look
    smaller.disabled = clamped === 1
    larger.disabled = clamped === SIZES
    remember(STORAGE_KEY, { size: clamped, look })
  }

  #scheduleShow() {
    if (!this.#dialog.open || this.#isScheduled) return
    this.#isScheduled = true
    requestAnimationFrame(() => this.#show())
  }

  #show() {
    const { words, interim, settled } = this.#transcript
    this.#isScheduled = false
    const last = textOfWords(words.slice(-SHOWN_WORDS))
    const final = joinWords([last, settled])
    const unsettled = interim.slice(settled.length)
    this.#parts.words.textContent = final
    this.#parts.interim.textContent = gap(final, unsettled) + unsettled
  }
}
