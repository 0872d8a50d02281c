// The status region and, beside it, the ways out of the situation that it tells.

import { make } from "./dom.js"
import { span } from "./durations.js"

const BUTTONS = {
  retry: "Try again",
  wait: "Wait for a free place",
  waitForEngine: "Wait for it",
  leave: "Leave the queue",
  now: "Try now",
  giveUp: "Leave it for later",
  save: "Save the audio",
  wake: "Wake the microphone",
  reload: "Reload the page",
}
const LINKS = { login: "Log in", standing: "See where you stand", session: "Open the session" }

export class StatusView {
  #region
  #kept
  #ways
  #links
  #shown = ""

  // links: {login, standing} -> address; `choose` gets the name of the way that was taken.
  constructor({ region, kept, ways, links, choose }) {
    this.#region = region
    this.#kept = kept
    this.#ways = ways
    this.#links = links
    ways.addEventListener("click", ({ target }) => target.dataset.way && choose(target.dataset.way))
  }

  show({ tone, what, why, action, ways = [] }, sessionLink) {
    // What has not changed must not be announced again.
    const now = JSON.stringify([tone, what, why, action, ways, sessionLink])
    if (now === this.#shown) return
    this.#shown = now
    this.#region.dataset.tone = tone
    this.#region.replaceChildren(
      make("strong", "dock__what", what),
      ...[why, action].filter(Boolean).flatMap((text) => [" ", make("span", "dock__why", text)]),
    )
    this.#ways.replaceChildren(...ways.map((way) => this.#wayOut(way, sessionLink)))
  }

  // Outside of the region: a figure that changes every second is nothing to announce.
  showKept({ kept, isKept, ring }) {
    const amount = ring.isNearlyFull ? `${Math.floor(kept / 60)} of ${Math.round(ring.room / 60)} min` : span(kept)
    const where = isKept ? "kept in this browser" : "kept in this page only, which must stay open"
    this.#kept.textContent = `${amount} ${where}.`
    this.#kept.hidden = false
  }

  hideKept() {
    this.#kept.hidden = true
  }

  #wayOut(way, sessionLink) {
    if (BUTTONS[way]) {
      const button = make("button", "button button--small", BUTTONS[way])
      button.type = "button"
      button.dataset.way = way
      return button
    }
    const link = make("a", "button button--small", LINKS[way])
    link.href = way === "session" ? sessionLink : this.#links[way]
    return link
  }
}
