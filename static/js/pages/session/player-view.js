// The player's buttons, time and keyboard shortcuts.

import { clock } from "../../web/clock.js"
import { recall, remember } from "../../web/local-storage.js"

const STORAGE_KEY = "player-choices"
const ARROW_S = 5
const LETTER_S = 10
const TEXT_FIELDS = "input:not([type=checkbox]), textarea, select, [contenteditable]"
const USES_SPACE = "a, button, summary, input, label"

export class PlayerView {
  #player
  #parts

  // parts: {play, at, skip, rate, wave}
  constructor({ player, parts }) {
    this.#player = player
    this.#parts = parts
    parts.play.addEventListener("click", () => player.toggle())
    parts.rate.addEventListener("change", () => this.#choose())
    parts.skip.addEventListener("change", () => this.#choose())
    player.addEventListener("change", () => this.#showState())
    document.addEventListener("keydown", (event) => this.#onKey(event))
    this.#restore()
  }

  showTime(seconds) {
    this.#parts.at.textContent = clock(seconds)
    this.#parts.wave.setAttribute("aria-valuenow", Math.floor(seconds))
    this.#parts.wave.setAttribute("aria-valuetext", clock(seconds))
  }

  #showState() {
    const { isPlaying } = this.#player
    this.#parts.play.setAttribute("aria-label", isPlaying ? "Pause" : "Play")
    this.#parts.play.classList.toggle("player__play--on", isPlaying)
  }

  #choose() {
    this.#player.rate = Number(this.#parts.rate.value)
    this.#player.skipsSilence = this.#parts.skip.checked
    remember(STORAGE_KEY, { rate: this.#parts.rate.value, skip: this.#parts.skip.checked })
  }

  #restore() {
    const { rate, skip } = recall(STORAGE_KEY, {})
    if (rate) this.#parts.rate.value = rate
    this.#parts.skip.checked = Boolean(skip)
    this.#choose()
  }

  #onKey(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.target.closest(TEXT_FIELDS) || (event.key === " " && event.target.closest(USES_SPACE))) return
    const action = this.#keys[event.key.toLowerCase()]
    if (!action) return
    event.preventDefault()
    action()
  }

  #keys = {
    " ": () => this.#player.toggle(),
    k: () => this.#player.toggle(),
    j: () => this.#player.seek(this.#player.at - LETTER_S),
    l: () => this.#player.seek(this.#player.at + LETTER_S),
    arrowleft: () => this.#player.seek(this.#player.at - ARROW_S),
    arrowright: () => this.#player.seek(this.#player.at + ARROW_S),
    "<": () => this.#changeSpeed(-1),
    ">": () => this.#changeSpeed(1),
  }

  #changeSpeed(by) {
    const { rate } = this.#parts
    rate.selectedIndex = Math.max(0, Math.min(rate.length - 1, rate.selectedIndex + by))
    this.#choose()
  }
}
