// Find and replace: what is looked for is marked and counted as it is typed; the server replaces all of it.

import { patternOf, placesIn } from "./find.js"

const ALL = "sought"
const CURRENT = "sought-now"

export class Replacer {
  #form
  #button
  #transcript
  #places = [] // a Range each
  #current = -1

  constructor({ form, button, transcript }) {
    this.#form = form
    this.#button = button
    this.#transcript = transcript
    button.addEventListener("click", () => (form.hidden ? this.#open() : this.#close()))
    form.addEventListener("input", ({ target }) => target.name !== "replace" && this.read())
    form.addEventListener("click", ({ target }) => this.#does[target.dataset?.does]?.())
    form.addEventListener("keydown", (event) => this.#pressed(event))
  }

  // Again, after a correction.
  read() {
    const { find, case: matchesCase, parts } = this.#form.elements
    const pattern = this.#form.hidden ? null : patternOf(find.value, { matchesCase: matchesCase.checked, inWords: parts.checked })
    this.#places = pattern ? [...this.#transcript.querySelectorAll(".utterance[data-segment]")].flatMap((utterance) => rangesIn(utterance, pattern)) : []
    this.#current = -1
    this.#tell()
  }

  #open() {
    this.#form.hidden = false
    this.#button.setAttribute("aria-expanded", "true")
    const marked = getSelection().toString().trim()
    const { find } = this.#form.elements
    if (marked && marked.length <= find.maxLength) find.value = marked
    find.select()
    find.focus()
    this.read()
  }

  #close() {
    this.#form.hidden = true
    this.#button.setAttribute("aria-expanded", "false")
    this.#button.focus()
    this.read()
  }

  #does = {
    close: () => this.#close(),
    next: () => this.#go(1),
    previous: () => this.#go(-1),
  }

  #pressed(event) {
    if (event.key === "Escape") this.#close()
    else if (event.key === "Enter" && event.target.name === "find") this.#go(event.shiftKey ? -1 : 1)
    else return
    event.preventDefault()
  }

  #go(by) {
    const count = this.#places.length
    if (!count) return
    this.#current = this.#current < 0 ? (by > 0 ? 0 : count - 1) : (this.#current + by + count) % count
    this.#places[this.#current].startContainer.parentElement.scrollIntoView({ block: "center" })
    this.#tell()
  }

  #tell() {
    const count = this.#places.length
    const isSought = this.#form.elements.find.value.trim() !== ""
    this.#form.querySelector("output").textContent = isSought ? (this.#current < 0 ? `${count} found` : `${this.#current + 1} of ${count}`) : ""
    this.#form.querySelector("[type=submit]").disabled = !count
    for (const step of this.#form.querySelectorAll("[data-does=next], [data-does=previous]")) step.disabled = !count
    this.#mark()
  }

  #mark() {
    if (!globalThis.Highlight) return // an older browser: counted and gone to, not marked
    CSS.highlights.set(ALL, new Highlight(...this.#places))
    CSS.highlights.set(CURRENT, new Highlight(...this.#places.slice(this.#current, this.#current + 1)))
  }
}

function rangesIn(utterance, pattern) {
  const words = [...utterance.querySelectorAll(".word")]
  return placesIn(words.map((word) => word.textContent), pattern).map(({ from, to }) => {
    const range = new Range()
    range.setStart(words[from.word].firstChild, from.character)
    range.setEnd(words[to.word].firstChild, to.character)
    return range
  })
}
