// The tools of the utterance that is pointed at, or has the focus: correct it, quote it, link to it.

import { clock } from "../../web/clock.js"

const TOLD_FOR_MS = 1600

export class Tools {
  #bar
  #transcript
  #utterance = null
  #edit

  // edit(utterance) opens it for correction; null where nothing may be corrected.
  constructor({ bar, transcript, edit }) {
    this.#bar = bar
    this.#transcript = transcript
    this.#edit = edit
    transcript.addEventListener("pointerover", ({ target }) => this.#show(target.closest(".utterance")))
    transcript.addEventListener("focusin", ({ target }) => this.#show(target.closest(".utterance")))
    document.addEventListener("keydown", (event) => this.#pressed(event))
    bar.addEventListener("click", ({ target }) => this.#do(target.closest("[data-does]")))
  }

  #show(utterance) {
    if (!utterance || utterance === this.#utterance || utterance.querySelector("form")) return
    this.#utterance = utterance
    this.#bar.hidden = false
    const edit = this.#bar.querySelector('[data-does="edit"]')
    if (edit) edit.hidden = !utterance.dataset.segment
    utterance.append(this.#bar)
  }

  #pressed(event) {
    const isPlain = !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.altKey
    const isTyped = event.target.closest("input, textarea, select")
    if (!isPlain || isTyped || event.key.toLowerCase() !== "e" || !this.#edit || !this.#utterance?.dataset.segment) return
    event.preventDefault()
    this.#edit(this.#utterance)
  }

  #do(button) {
    const utterance = this.#utterance
    if (!button || !utterance) return
    if (button.dataset.does === "edit") return this.#edit(utterance)
    copy(button.dataset.does === "quote" ? quoteOf(utterance) : linkTo(utterance), button)
  }
}

export async function copy(text, button) {
  const label = (button.dataset.label ??= button.textContent)
  try {
    await navigator.clipboard.writeText(text)
    button.textContent = "Copied"
  } catch {
    button.textContent = "Not allowed"
  }
  setTimeout(() => (button.textContent = label), TOLD_FOR_MS)
}

export function saidIn(utterance) {
  return utterance.querySelector(".utterance__words").textContent.trim()
}

function quoteOf(utterance) {
  const { speaker, start } = utterance.dataset
  return `“${saidIn(utterance)}” (${speaker ? `${speaker}, ` : ""}${clock(Number(start))})`
}

function linkTo(utterance) {
  const link = new URL(location.href)
  link.search = ""
  link.hash = `t=${utterance.dataset.start}`
  return link.href
}
