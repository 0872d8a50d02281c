// The history of generated clips, the newest first, to play again or delete.

import { SAMPLE_RATE } from "../../audio/samples.js"
import { byId, make } from "../../web/dom.js"

const MAX_EXCERPT = 90 // characters

export class ClipHistory {
  #root
  #list
  #store
  #play

  constructor({ root, store, play }) {
    this.#root = root
    this.#list = root.querySelector("ol")
    this.#store = store
    this.#play = play
    byId("clear-history").addEventListener("click", () => this.#clear())
  }

  async add(clip) {
    try {
      await this.#store.add(clip)
    } catch {
      return // a private window or a full disk; the clip can still be downloaded
    }
    await this.show()
  }

  async show() {
    const clips = await this.#store.all().catch(() => [])
    this.#root.hidden = clips.length === 0
    this.#list.replaceChildren(...clips.map((clip) => this.#row(clip)))
  }

  #row(clip) {
    const text = clip.text.trim().replace(/\s+/g, " ")
    const excerpt = text.length > MAX_EXCERPT ? `${text.slice(0, MAX_EXCERPT).trimEnd()}…` : text
    const when = new Date(clip.createdAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })
    const details = `${clip.speaker.label} · ${(clip.samples / SAMPLE_RATE).toFixed(1)} s · ${when}`
    const play = button("button button--small", "Play", `Play “${excerpt}”`)
    play.addEventListener("click", () => this.#play(clip))
    const remove = button("button button--small button--danger", "Delete", `Delete “${excerpt}”`)
    remove.addEventListener("click", () => this.#remove(clip, remove))
    const lines = [make("p", "clip-item__text", excerpt), make("p", "clip-item__details muted", details)]
    return make("li", "clip-item", make("div", "clip-item__description", ...lines), make("div", "cluster", play, remove))
  }

  async #remove(clip, button) {
    await this.#store.remove(clip.id)
    const row = button.closest("li")
    const neighbor = row.nextElementSibling ?? row.previousElementSibling
    row.remove()
    neighbor?.querySelector("button").focus()
    this.#root.hidden = this.#list.childElementCount === 0
  }

  async #clear() {
    for (const clip of await this.#store.all()) await this.#store.remove(clip.id)
    await this.show()
  }
}

function button(className, text, label) {
  const element = Object.assign(make("button", className, text), { type: "button" })
  element.setAttribute("aria-label", label)
  return element
}
