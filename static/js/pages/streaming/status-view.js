// The status region and, beside it, the actions that the status offers.

import { make } from "../../web/dom.js"
import { formatDuration } from "./durations.js"

const BUTTONS = {
  retry: "Try again",
  wait: "Join the queue",
  waitForEngine: "Wait",
  leave: "Leave the queue",
  now: "Retry now",
  giveUp: "Finish later",
  save: "Save audio file",
  cancel: "Cancel",
  wake: "Resume the microphone",
  reopen: "Open it again",
  reload: "Reload the page",
}
const LINKS = { login: "Log in", approvalStatus: "Check your account status", session: "Open the session" }
const TROUBLED = ["reconnecting", "queued", "interrupted", "failed"]

export class StatusView {
  #region
  #unsent
  #actions
  #links
  #shown = ""

  // links: {login, approvalStatus} -> URL; `choose` is called with the name of the chosen action.
  constructor({ region, unsent, actions, links, choose }) {
    this.#region = region
    this.#unsent = unsent
    this.#actions = actions
    this.#links = links
    actions.addEventListener("click", ({ target }) => target.dataset.action && choose(target.dataset.action))
  }

  show({ tone, what, why, action, actions = [] }, sessionLink) {
    // Screen readers would announce an unchanged status again.
    const status = JSON.stringify([tone, what, why, action, actions, sessionLink])
    if (status === this.#shown) return
    this.#shown = status
    this.#region.dataset.tone = tone
    this.#region.replaceChildren(
      make("strong", "dock__what", what),
      ...[why, action].filter(Boolean).flatMap((text) => [" ", make("span", "dock__why", text)]),
    )
    this.#actions.replaceChildren(...actions.map((name) => this.#control(name, sessionLink)))
  }

  // Outside of the region, so that a figure that changes every second is not announced.
  showUnsent({ connection, unsent_s, isPersisting, ring }) {
    const isShown = TROUBLED.includes(connection) && unsent_s >= 1
    this.#unsent.hidden = !isShown
    if (!isShown) return
    const limit = `${Math.floor(unsent_s / 60)} of ${Math.round(ring.capacity_s / 60)} min`
    const amount = ring.isNearlyFull ? limit : formatDuration(unsent_s)
    const where = isPersisting ? "buffered in this browser" : "buffered in this page only; keep it open"
    this.#unsent.textContent = `${amount} ${where}.`
  }

  #control(name, sessionLink) {
    if (BUTTONS[name]) {
      const button = make("button", "button button--small", BUTTONS[name])
      button.type = "button"
      button.dataset.action = name
      return button
    }
    const link = make("a", "button button--small", LINKS[name])
    link.href = name === "session" ? sessionLink : this.#links[name]
    return link
  }
}
