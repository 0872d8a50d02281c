// The clips being played: a panel for each, side by side when two voices are compared.

import { ClipView } from "./clip-view.js"

export class Stage {
  #root
  #parts
  #views = []
  #isScheduled = false

  // parts: {player, play, files, links, speak}.
  constructor({ root, ...parts }) {
    this.#root = root
    this.#parts = parts
    parts.player.addEventListener("change", () => this.#scheduleDraw())
  }

  show(clips) {
    for (const view of this.#views) view.close()
    this.#views = clips.map((clip) => new ClipView({ clip, ...this.#parts, changed: () => this.#scheduleDraw() }))
    this.#root.replaceChildren(...this.#views.map(({ element }) => element))
    this.#root.hidden = false
    this.#root.classList.toggle("stage--two", clips.length > 1)
    this.#scheduleDraw()
    this.#root.scrollIntoView({ block: "nearest" })
  }

  // Draws at most once per animation frame.
  #scheduleDraw() {
    if (this.#isScheduled) return
    this.#isScheduled = true
    requestAnimationFrame(() => {
      this.#isScheduled = false
      for (const view of this.#views) view.draw()
    })
  }
}
