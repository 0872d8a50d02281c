// The list of voices, with search, filters, samples and favorites.

import { languagesOf, matching } from "../../voices/voice-catalog.js"
import { make } from "../../web/dom.js"
import { recall, remember } from "../../web/local-storage.js"

const STORAGE_KEY = "voices-favorites"

export class VoiceList {
  chosen
  #voices
  #rows = new Map() // by voice id
  #favorites = new Set(recall(STORAGE_KEY, []))
  #search
  #language
  #kind
  #onlyFavorites
  #count

  constructor({ root, voices, chosen, choose, sample }) {
    this.#voices = voices
    this.#search = root.querySelector("#voice-search")
    this.#language = root.querySelector("#voice-language")
    this.#kind = root.querySelector("#voice-kind")
    this.#onlyFavorites = root.querySelector("#voice-favorites")
    this.#count = root.querySelector("#voice-count")
    this.chosen = voices.find(({ id }) => id === chosen) ?? voices[0]
    this.#showFilters()
    const list = root.querySelector("#voice-list")
    for (const voice of voices) {
      const row = this.#row(voice, choose, sample)
      this.#rows.set(voice.id, row)
      list.append(row.item)
    }
    for (const field of [this.#search, this.#language, this.#kind]) field.addEventListener("input", () => this.#filter())
    this.#onlyFavorites.addEventListener("click", () => {
      toggle(this.#onlyFavorites)
      this.#filter()
    })
    this.#filter()
    const row = this.#rows.get(this.chosen?.id)
    if (row) list.scrollTop = Math.max(0, row.item.offsetTop - list.offsetTop - 40)
  }

  // The ID of the voice whose sample is playing, or null.
  set playingSample(id) {
    for (const [voice, { sample }] of this.#rows) {
      const isOn = voice === id
      sample.classList.toggle("is-on", isOn)
      sample.setAttribute("aria-pressed", String(isOn))
    }
  }

  #showFilters() {
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
    const details = make("span", "voice__details muted", detailsOf(voice))
    if (voice.is_noncommercial) details.append(" ", make("span", "badge badge--pending", "Non-commercial"))
    const label = make("label", "voice__label", radio, make("span", "voice__name", voice.label), details)
    label.title = voice.description
    const star = button("voice__star", `Favorite ${voice.label}`, "M12 4.5l2.3 4.8 5.2.7-3.8 3.6.9 5.2-4.6-2.5-4.6 2.5.9-5.2-3.8-3.6 5.2-.7z")
    star.setAttribute("aria-pressed", String(this.#favorites.has(voice.id)))
    star.addEventListener("click", () => this.#toggleFavorite(voice, star))
    const play = button("voice__sample", `Play sample of ${voice.label}`, "M8 5.5v13l10.5-6.5z")
    play.setAttribute("aria-pressed", "false")
    play.addEventListener("click", () => sample(voice))
    return { item: make("li", "voice", label, play, star), sample: play }
  }

  #toggleFavorite({ id }, star) {
    this.#favorites.delete(id) || this.#favorites.add(id)
    star.setAttribute("aria-pressed", String(this.#favorites.has(id)))
    remember(STORAGE_KEY, [...this.#favorites])
    if (this.#onlyFavorites.ariaPressed === "true") this.#filter()
  }

  #filter() {
    const shown = matching(this.#voices, {
      query: this.#search.value,
      language: this.#language.value,
      kind: this.#kind.value,
      favorites: this.#onlyFavorites.ariaPressed === "true" ? this.#favorites : null,
    })
    const ids = new Set(shown.map(({ id }) => id))
    for (const [id, { item }] of this.#rows) item.hidden = !ids.has(id)
    this.#count.textContent = shown.length === 1 ? "1 voice" : `${shown.length || "No"} voices`
  }
}

function detailsOf({ languageName, kind, engineLabel, license }) {
  return [languageName, kind, engineLabel, license.replaceAll(" ", "\u00a0")].filter(Boolean).join(" · ")
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
