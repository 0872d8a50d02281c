// What is being spoken: a panel for each take, side by side where two voices are compared.

import { TakeView } from "./take-view.js"

export class Stage {
  #root
  #parts
  #views = []
  #isDrawing = false

  // parts: {player, play, files, links, speak}.
  constructor({ root, ...parts }) {
    this.#root = root
    this.#parts = parts
    parts.player.addEventListener("change", () => this.#draw())
  }

  show(takes) {
    for (const view of this.#views) view.leave()
    this.#views = takes.map((take) => new TakeView({ take, ...this.#parts, changed: () => this.#draw() }))
    this.#root.replaceChildren(...this.#views.map(({ element }) => element))
    this.#root.hidden = false
    this.#root.classList.toggle("stage--two", takes.length > 1)
    this.#draw()
    this.#root.scrollIntoView({ block: "nearest" })
  }

  // Many changes of a moment are one picture.
  #draw() {
    if (this.#isDrawing) return
    this.#isDrawing = true
    requestAnimationFrame(() => {
      this.#isDrawing = false
      for (const view of this.#views) view.draw()
    })
  }
}
