// The newest words alone, large and over the whole screen, for people who read along from afar.

import { recall, remember } from "./memory.js"

const REMEMBERED = "live-captions"
const SIZES = 6
const SHOWN_WORDS = 80 // more than fit

export class CaptionsView {
  #dialog
  #parts
  #transcript
  #isDue = false

  constructor({ dialog, transcript }) {
    this.#dialog = dialog
    this.#transcript = transcript
    this.#parts = Object.fromEntries([...dialog.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]))
    const { screen, look, smaller, larger, close } = this.#parts
    this.#wear(recall(REMEMBERED) ?? {})
    look.addEventListener("change", () => this.#wear({ look: look.value }))
    smaller.addEventListener("click", () => this.#wear({ size: this.#size - 1 }))
    larger.addEventListener("click", () => this.#wear({ size: this.#size + 1 }))
    close.addEventListener("click", () => dialog.close())
    dialog.addEventListener("close", () => document.fullscreenElement && document.exitFullscreen())
    screen.addEventListener("fullscreenchange", () => document.fullscreenElement || dialog.close())
    for (const name of ["word", "tail", "rewind", "clear"]) transcript.addEventListener(name, () => this.#showSoon())
  }

  toggle() {
    this.#dialog.open ? this.#dialog.close() : this.#open()
  }

  #open() {
    this.#dialog.showModal()
    this.#show()
    this.#parts.screen.requestFullscreen?.().catch(() => {}) // where it is forbidden they fill the window
  }

  get #size() {
    return Number(this.#parts.screen.dataset.size)
  }

  #wear({ size = this.#size, look = this.#parts.look.value }) {
    const { screen, smaller, larger } = this.#parts
    const fitting = Math.min(SIZES, Math.max(1, size))
    Object.assign(screen.dataset, { size: fitting, look })
    this.#parts.look.value = look
    smaller.disabled = fitting === 1
    larger.disabled = fitting === SIZES
    remember(REMEMBERED, { size: fitting, look })
  }

  #showSoon() {
    if (!this.#dialog.open || this.#isDue) return
    this.#isDue = true
    requestAnimationFrame(() => this.#show())
  }

  #show() {
    const { words, tail, settled } = this.#transcript
    this.#isDue = false
    const last = words.slice(-SHOWN_WORDS).map(({ text }) => text).join(" ")
    this.#parts.words.textContent = [last, settled].filter(Boolean).join(" ")
    this.#parts.tail.textContent = tail.slice(settled.length)
  }
}
