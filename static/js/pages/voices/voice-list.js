// The voices to choose from: searched, filtered, tried, and the best of them marked.

import { recall, remember } from "../../web/local-storage.js"
import { languagesOf, matching } from "../../voices/voices.js"
import { make } from "../live/dom.js"

const FAVOURITES = "voices-favourites"

export class VoiceList {
  chosen
  #voices
  #rows = new Map() // by voice id
  #favourites = new Set(recall(FAVOURITES, []))
  #search
  #language
  #kind
  #onlyFavourites
  #count

  constructor({ root, voices, chosen, choose, sample }) {
    this.#voices = voices
    this.#search = root.querySelector("#voice-search")
    this.#language = root.querySelector("#voice-language")
    this.#kind = root.querySelector("#voice-kind")
    this.#onlyFavourites = root.querySelector("#voice-favourites")
    this.#count = root.querySelector("#voice-count")
    this.chosen = voices.find(({ id }) => id === chosen) ?? voices[0]
    this.#offerFilters()
    const list = root.querySelector("#voice-list")
    for (const voice of voices) {
      const row = this.#row(voice, choose, sample)
      this.#rows.set(voice.id, row)
      list.append(row.item)
    }
    for (const field of [this.#search, this.#language, this.#kind]) field.addEventListener("input", () => this.#filter())
    this.#onlyFavourites.addEventListener("click", () => {
      toggle(this.#onlyFavourites)
      this.#filter()
    })
    this.#filter()
    const row = this.#rows.get(this.chosen?.id)
    if (row) list.scrollTop = Math.max(0, row.item.offsetTop - list.offsetTop - 40)
  }

  // The id of the voice whose sample plays, or null.
  set sounding(id) {
    for (const [voice, { sample }] of this.#rows) {
      const isOn = voice === id
      sample.classList.toggle("is-on", isOn)
      sample.setAttribute("aria-pressed", String(isOn))
    }
  }

  #offerFilters() {
    const option = (value, label) => Object.assign(make("option", "", label), { value })
    this.#language.append(...languagesOf(this.#voices).map(([code, name]) => option(code, name)))
    const kinds = [...new Set(this.#voices.map(({ kind }) => kind).filter(Boolean))].sort()
    this.#kind.append(...kinds.map((kind) => option(kind, kind[0].toUpperCase() + kind.slice(1))))
  }

  #row(voice, choose, sample) {
    const radio = Object.assign(make("input"), { type: "radio", name: "voice", value: voice.id })
    radio.checked = voice === this.chosen
    radio.addEventListener("change", () => {
      this.chosen = voice
      choose(voice)
    })
    const about = [voice.languageName, voice.kind, voice.engineLabel].filter(Boolean).join(" · ")
    const label = make("label", "voice__label", radio, make("span", "voice__name", voice.label), make("span", "voice__about muted", about))
    label.title = voice.description
    const star = button("voice__star", `Favourite ${voice.label}`, "M12 4.5l2.3 4.8 5.2.7-3.8 3.6.9 5.2-4.6-2.5-4.6 2.5.9-5.2-3.8-3.6 5.2-.7z")
    star.setAttribute("aria-pressed", String(this.#favourites.has(voice.id)))
    star.addEventListener("click", () => this.#toggleFavourite(voice, star))
    const play = button("voice__sample", `Sample of ${voice.label}`, "M8 5.5v13l10.5-6.5z")
    play.setAttribute("aria-pressed", "false")
    play.addEventListener("click", () => sample(voice))
    return { item: make("li", "voice", label, play, star), sample: play }
  }

  #toggleFavourite({ id }, star) {
    this.#favourites.delete(id) || this.#favourites.add(id)
    star.setAttribute("aria-pressed", String(this.#favourites.has(id)))
    remember(FAVOURITES, [...this.#favourites])
    if (this.#onlyFavourites.ariaPressed === "true") this.#filter()
  }

  #filter() {
    const shown = matching(this.#voices, {
      query: this.#search.value,
      language: this.#language.value,
      kind: this.#kind.value,
      favourites: this.#onlyFavourites.ariaPressed === "true" ? this.#favourites : null,
    })
    const ids = new Set(shown.map(({ id }) => id))
    for (const [id, { item }] of this.#rows) item.hidden = !ids.has(id)
    this.#count.textContent = shown.length === 1 ? "1 voice" : `${shown.length || "No"} voices`
  }
}

function toggle(button) {
  button.setAttribute("aria-pressed", String(button.ariaPressed !== "true"))
}

function button(className, label, path) {
  const element = Object.assign(make("button", `icon-button ${className}`), { type: "button", title: label })
  element.setAttribute("aria-label", label)
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  svg.setAttribute("viewBox", "0 0 24 24")
  svg.setAttribute("aria-hidden", "true")
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "path")
  shape.setAttribute("d", path)
  svg.append(shape)
  element.append(svg)
  return element
}
