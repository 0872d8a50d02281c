// What was made here before, the newest first: to hear again, or to be rid of.

import { byId, make } from "../live/dom.js"

const OPENING = 90 // characters

export class History {
  #root
  #list
  #store
  #play

  constructor({ root, store, show }) {
    this.#root = root
    this.#list = root.querySelector("ol")
    this.#store = store
    this.#play = show
    byId("clear-history").addEventListener("click", () => this.#clear())
  }

  async add(take) {
    try {
      await this.#store.add(take)
    } catch {
      return // a private window, or a full disk: it can still be downloaded
    }
    await this.show()
  }

  async show() {
    const takes = await this.#store.all().catch(() => [])
    this.#root.hidden = takes.length === 0
    this.#list.replaceChildren(...takes.map((take) => this.#row(take)))
  }

  #row(take) {
    const opening = take.text.trim().replace(/\s+/g, " ")
    const words = opening.length > OPENING ? `${opening.slice(0, OPENING).trimEnd()}…` : opening
    const when = new Date(take.madeAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })
    const about = `${take.speaker.label} · ${(take.samples / 24000).toFixed(1)} s · ${when}`
    const play = button("button button--small", "Play", `Play “${words}”`)
    play.addEventListener("click", () => this.#play(take))
    const remove = button("button button--small button--danger", "Delete", `Delete “${words}”`)
    remove.addEventListener("click", () => this.#remove(take, remove))
    const told = make("div", "kept__told", make("p", "kept__words", words), make("p", "kept__about muted", about))
    return make("li", "kept", told, make("div", "cluster", play, remove))
  }

  async #remove(take, button) {
    await this.#store.remove(take.id)
    const row = button.closest("li")
    const neighbour = row.nextElementSibling ?? row.previousElementSibling
    row.remove()
    neighbour?.querySelector("button").focus()
    this.#root.hidden = this.#list.childElementCount === 0
  }

  async #clear() {
    for (const take of await this.#store.all()) await this.#store.remove(take.id)
    await this.show()
  }
}

function button(className, text, label) {
  const element = Object.assign(make("button", className, text), { type: "button" })
  element.setAttribute("aria-label", label)
  return element
}
