// When an utterance ends, for engines that let it be chosen: theirs until it is changed, and then one's own.

import { recall, remember } from "./memory.js"

const REMEMBERED = "live-endpointing"

export class EndpointingView {
  #panel
  #form
  #theirs = null // of the engine that is chosen

  constructor({ panel }) {
    this.#panel = panel
    this.#form = panel.querySelector("form")
    this.#form.addEventListener("input", () => this.#changed())
    this.#form.addEventListener("submit", (event) => event.preventDefault())
    this.#form.addEventListener("reset", (event) => {
      event.preventDefault()
      remember(REMEMBERED, null)
      this.#show(this.#theirs)
    })
  }

  // engine: of the page's config; one whose end-points cannot be chosen has none.
  offer({ endpointing } = {}) {
    this.#theirs = endpointing ?? null
    this.#panel.hidden = !this.#theirs
    if (this.#theirs) this.#show({ ...this.#theirs, ...recall(REMEMBERED) })
  }

  // null: as the engine has it.
  get choice() {
    return this.#theirs && recall(REMEMBERED)
  }

  #changed() {
    if (this.#form.checkValidity()) remember(REMEMBERED, this.#shown)
    this.#tellThreshold()
  }

  get #shown() {
    const { pause, threshold, min_words, max_turn, guard } = this.#form.elements
    return {
      pause: Number(pause.value),
      threshold: Number(threshold.value),
      min_words: Number(min_words.value),
      max_turn: Number(max_turn.value),
      guard: guard.checked,
    }
  }

  #show({ guard, ...values }) {
    for (const [name, value] of Object.entries(values)) this.#form.elements[name].value = String(value)
    this.#form.elements.guard.checked = guard
    this.#tellThreshold()
  }

  #tellThreshold() {
    this.#form.querySelector("output").textContent = `${Math.round(this.#form.elements.threshold.value * 100)} %`
  }
}
