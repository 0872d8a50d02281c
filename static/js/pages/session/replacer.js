// Find and replace: matches are highlighted and counted as the user types; the server replaces all of them.

import { finderOf, matchesIn } from "./find.js"

const ALL = "sought"
const CURRENT = "sought-now"

export class Replacer {
  #form
  #button
  #transcript
  #matches = [] // Ranges
  #current = -1

  constructor({ form, button, transcript }) {
    this.#form = form
    this.#button = button
    this.#transcript = transcript
    button.addEventListener("click", () => (form.hidden ? this.#open() : this.#close()))
    form.addEventListener("input", ({ target }) => target.name !== "replace" && this.read())
    form.addEventListener("click", ({ target }) => this.#actions[target.dataset?.does]?.())
    form.addEventListener("keydown", (event) => this.#onKey(event))
  }

  // Call it again after an edit.
  read() {
    const { find, case: matchesCase, parts } = this.#form.elements
    const finder = this.#form.hidden ? null : finderOf(find.value, { matchesCase: matchesCase.checked, partsOfWords: parts.checked })
    const segments = finder ? [...this.#transcript.querySelectorAll(".segment[data-segment]")] : []
    this.#matches = segments.flatMap((segment) => rangesIn(segment, finder))
    this.#current = -1
    this.#showCount()
  }

  #open() {
    this.#form.hidden = false
    this.#button.setAttribute("aria-expanded", "true")
    const selected = getSelection().toString().trim()
    const { find } = this.#form.elements
    if (selected && selected.length <= find.maxLength) find.value = selected
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

  #actions = {
    close: () => this.#close(),
    next: () => this.#step(1),
    previous: () => this.#step(-1),
  }

  #onKey(event) {
    if (event.key === "Escape") this.#close()
    else if (event.key === "Enter" && event.target.name === "find") this.#step(event.shiftKey ? -1 : 1)
    else return
    event.preventDefault()
  }

  #step(by) {
    const count = this.#matches.length
    if (!count) return
    this.#current = this.#current < 0 ? (by > 0 ? 0 : count - 1) : (this.#current + by + count) % count
    this.#matches[this.#current].startContainer.parentElement.scrollIntoView({ block: "center" })
    this.#showCount()
  }

  #showCount() {
    const count = this.#matches.length
    const hasQuery = this.#form.elements.find.value.trim() !== ""
    this.#form.querySelector("output").textContent = hasQuery ? (this.#current < 0 ? `${count} found` : `${this.#current + 1} of ${count}`) : ""
    this.#form.querySelector("[type=submit]").disabled = !count
    for (const step of this.#form.querySelectorAll("[data-does=next], [data-does=previous]")) step.disabled = !count
    this.#highlight()
  }

  #highlight() {
    if (!globalThis.Highlight) return // older browsers count and navigate matches without highlighting them
    CSS.highlights.set(ALL, new Highlight(...this.#matches))
    CSS.highlights.set(CURRENT, new Highlight(...this.#matches.slice(this.#current, this.#current + 1)))
  }
}

function rangesIn(segment, finder) {
  const words = [...segment.querySelectorAll(".word")]
  return matchesIn(words.map((word) => word.textContent), finder).map(({ from, to }) => {
    const range = new Range()
    range.setStart(words[from.word].firstChild, from.character)
    range.setEnd(words[to.word].firstChild, to.character)
    return range
  })
}
