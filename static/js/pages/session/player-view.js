// The buttons, the time and the keys of the player.

import { clock } from "../../web/clock.js"

const REMEMBERED = "player-choices"
const ARROW_S = 5
const LETTER_S = 10
const TYPED_INTO = "input:not([type=checkbox]), textarea, select, [contenteditable]"
const PRESSED = "a, button, summary, input, label"

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
    document.addEventListener("keydown", (event) => this.#pressed(event))
    this.#recall()
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
    try {
      localStorage.setItem(REMEMBERED, JSON.stringify({ rate: this.#parts.rate.value, skip: this.#parts.skip.checked }))
    } catch {
      // A browser that keeps nothing for this site still plays.
    }
  }

  #recall() {
    try {
      const { rate, skip } = JSON.parse(localStorage.getItem(REMEMBERED)) ?? {}
      if (rate) this.#parts.rate.value = rate
      this.#parts.skip.checked = Boolean(skip)
    } catch {
      // As above.
    }
    this.#choose()
  }

  #pressed(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.target.closest(TYPED_INTO) || (event.key === " " && event.target.closest(PRESSED))) return
    const does = this.#keys[event.key.toLowerCase()]
    if (!does) return
    event.preventDefault()
    does()
  }

  #keys = {
    " ": () => this.#player.toggle(),
    k: () => this.#player.toggle(),
    j: () => this.#player.seek(this.#player.at - LETTER_S),
    l: () => this.#player.seek(this.#player.at + LETTER_S),
    arrowleft: () => this.#player.seek(this.#player.at - ARROW_S),
    arrowright: () => this.#player.seek(this.#player.at + ARROW_S),
    "<": () => this.#speedUp(-1),
    ">": () => this.#speedUp(1),
  }

  #speedUp(by) {
    const { rate } = this.#parts
    rate.selectedIndex = Math.max(0, Math.min(rate.length - 1, rate.selectedIndex + by))
    this.#choose()
  }
}
