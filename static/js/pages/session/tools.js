// Tools of the segment under the pointer or with the focus: edit, quote, link.

import { clock } from "../../web/clock.js"

const FEEDBACK_MS = 1600

export class Tools {
  #bar
  #transcript
  #segment = null
  #edit

  // edit(segment) opens the editor; null where editing isn't allowed.
  constructor({ bar, transcript, edit }) {
    this.#bar = bar
    this.#transcript = transcript
    this.#edit = edit
    transcript.addEventListener("pointerover", ({ target }) => this.#show(target.closest(".segment")))
    transcript.addEventListener("focusin", ({ target }) => this.#show(target.closest(".segment")))
    document.addEventListener("keydown", (event) => this.#onKey(event))
    bar.addEventListener("click", ({ target }) => this.#run(target.closest("[data-does]")))
  }

  #show(segment) {
    if (!segment || segment === this.#segment || segment.querySelector("form")) return
    this.#segment = segment
    this.#bar.hidden = false
    const edit = this.#bar.querySelector('[data-does="edit"]')
    if (edit) edit.hidden = !segment.dataset.segment
    segment.append(this.#bar)
  }

  #onKey(event) {
    const isPlain = !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.altKey
    const isTyping = event.target.closest("input, textarea, select")
    if (!isPlain || isTyping || event.key.toLowerCase() !== "e" || !this.#edit || !this.#segment?.dataset.segment) return
    event.preventDefault()
    this.#edit(this.#segment)
  }

  #run(button) {
    const segment = this.#segment
    if (!button || !segment) return
    if (button.dataset.does === "edit") return this.#edit(segment)
    copy(button.dataset.does === "quote" ? quoteOf(segment) : linkTo(segment), button)
  }
}

export async function copy(text, button) {
  const label = (button.dataset.label ??= button.textContent)
  try {
    await navigator.clipboard.writeText(text)
    button.textContent = "Copied"
  } catch {
    button.textContent = "Couldn't copy"
  }
  setTimeout(() => (button.textContent = label), FEEDBACK_MS)
}

export function textOf(segment) {
  return segment.querySelector(".segment__words").textContent.trim()
}

function quoteOf(segment) {
  const { speaker, start } = segment.dataset
  return `“${textOf(segment)}” (${speaker ? `${speaker}, ` : ""}${clock(Number(start))})`
}

function linkTo(segment) {
  const link = new URL(location.href)
  link.search = ""
  link.hash = `t=${segment.dataset.start}`
  return link.href
}
