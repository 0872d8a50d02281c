// An upload in the list, with its progress and its actions.

import { textOf } from "../../uploads/problem.js"
import { describe, fractionOf, Pace } from "../../uploads/progress.js"
import { make } from "../../web/dom.js"

export class Entry {
  element = make("li", "upload")
  #pace = new Pace()
  #name = make("p", "upload__name")
  #actions = make("div", "upload__actions")
  #bar = make("progress", "upload__bar")
  #stage = make("p", "upload__stage")
  #note = make("p", "upload__stage")
  #problem = make("p", "upload__problem")
  #sessions
  #cancel
  #acceptTruncated

  // sessions: the URL of the list, to which the session's id is appended.
  constructor({ sessions, cancel, acceptTruncated }) {
    this.#sessions = sessions
    this.#cancel = cancel
    this.#acceptTruncated = acceptTruncated
    this.#bar.max = 1
    this.#stage.setAttribute("role", "status")
    this.#problem.setAttribute("role", "alert")
    this.element.append(this.#name, this.#actions, this.#bar, this.#stage, this.#note, this.#problem)
  }

  show(status) {
    this.#pace.record(status, performance.now())
    this.#name.textContent = this.#name.title = status.name
    this.#bar.setAttribute("aria-label", status.name)
    this.#showProgress(fractionOf(status), status.state)
    this.#stage.textContent = describe(status, this.#pace.value)
    this.#note.textContent = status.note ?? ""
    this.#note.hidden = !status.note
    this.#problem.textContent = textOf(status.problem ?? {})
    const hasChanged = this.element.dataset.state !== status.state || !this.#actions.children.length
    if (hasChanged) this.#actions.replaceChildren(...this.#actionsFor(status))
    this.element.dataset.state = status.state
  }

  #showProgress(fraction, state) {
    this.#bar.hidden = ["failed", "truncated"].includes(state)
    if (fraction === null) this.#bar.removeAttribute("value")
    else this.#bar.value = fraction
  }

  *#actionsFor({ state, session }) {
    if (session && ["transcribing", "done"].includes(state)) yield link("Open the session", `${this.#sessions}${session}/`)
    if (state === "truncated") yield button("Transcribe anyway", this.#acceptTruncated)
    const isOver = ["done", "failed"].includes(state)
    yield button(isOver ? "Dismiss" : "Cancel", this.#cancel)
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
