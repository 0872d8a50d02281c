// One upload in the list, as it stands.

import { inWords, Pace, part } from "../../uploads/progress.js"
import { make } from "../live/dom.js"

export class Entry {
  element = make("li", "upload")
  #pace = new Pace()
  #name = make("p", "upload__name")
  #ways = make("div", "upload__ways")
  #bar = make("progress", "upload__bar")
  #stage = make("p", "upload__stage")
  #problem = make("p", "upload__problem")
  #forget
  #take

  // forget and take: what to do when the reader wants it gone, or what is there of it.
  constructor({ forget, take }) {
    this.#forget = forget
    this.#take = take
    this.#bar.max = 1
    this.#stage.setAttribute("role", "status")
    this.#problem.setAttribute("role", "alert")
    this.element.append(this.#name, this.#ways, this.#bar, this.#stage, this.#problem)
  }

  show(told) {
    this.#pace.note(told, performance.now())
    this.#name.textContent = this.#name.title = told.name
    this.#bar.setAttribute("aria-label", told.name)
    this.#showPart(part(told), told.state)
    this.#stage.textContent = inWords(told, this.#pace.value)
    const { what = "", why = "", action = "" } = told.problem ?? {}
    this.#problem.textContent = [what, why, action].filter(Boolean).join(" ")
    if (this.element.dataset.state !== told.state || !this.#ways.children.length) this.#ways.replaceChildren(...this.#waysOf(told))
    this.element.dataset.state = told.state
  }

  #showPart(value, state) {
    this.#bar.hidden = ["refused", "cut"].includes(state)
    if (value === null) this.#bar.removeAttribute("value")
    else this.#bar.value = value
  }

  *#waysOf({ state, session }) {
    if (session && ["transcribing", "done"].includes(state)) yield link("Open the session", session)
    if (state === "cut") yield button("Take what is there", this.#take)
    const isOver = ["done", "refused"].includes(state)
    yield button(isOver ? "Dismiss" : "Cancel", this.#forget)
  }
}

function button(text, act) {
  const element = make("button", "button button--small", text)
  element.type = "button"
  element.addEventListener("click", act)
  return element
}

function link(text, url) {
  const element = make("a", "button button--small", text)
  element.href = url
  return element
}
