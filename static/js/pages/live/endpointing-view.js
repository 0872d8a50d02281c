// Pause detection, for engines that let the user configure it: the engine's defaults until they are changed.

import { recall, remember } from "../../web/local-storage.js"

const STORAGE_KEY = "live-endpointing"

export class EndpointingView {
  #panel
  #form
  #defaults = null // of the chosen engine

  constructor({ panel }) {
    this.#panel = panel
    this.#form = panel.querySelector("form")
    this.#form.addEventListener("input", () => this.#onInput())
    this.#form.addEventListener("submit", (event) => event.preventDefault())
    this.#form.addEventListener("reset", (event) => {
      event.preventDefault()
      remember(STORAGE_KEY, null)
      this.#show(this.#defaults)
    })
  }

  // engine: an entry of the page's config; `endpointing` is absent where the engine doesn't support it.
  showFor({ endpointing } = {}) {
    this.#defaults = endpointing ?? null
    this.#panel.hidden = !this.#defaults
    if (this.#defaults) this.#show({ ...this.#defaults, ...recall(STORAGE_KEY) })
  }

  // null for the engine's defaults.
  get choice() {
    return this.#defaults && recall(STORAGE_KEY)
  }

  #onInput() {
    if (this.#form.checkValidity()) remember(STORAGE_KEY, this.#values)
    this.#showThreshold()
  }

  get #values() {
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
    this.#showThreshold()
  }

  #showThreshold() {
    this.#form.querySelector("output").textContent = `${Math.round(this.#form.elements.threshold.value * 100)}%`
  }
}
