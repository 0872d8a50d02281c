// Problems that do not end the conversation, and the hint that the assistant picks up its own voice.

import { make } from "../../web/dom.js"

const ECHO = {
  what: "The assistant hears itself.",
  why: "Your microphone picks up the loudspeaker.",
  action: "Use a headset, lower the volume, or turn on push-to-talk in the settings.",
}

export class NoticesView {
  #region
  #conversation
  #shown = ""

  constructor({ region, conversation }) {
    this.#region = region
    this.#conversation = conversation
  }

  show() {
    const { notices, hearsItself } = this.#conversation
    const shown = JSON.stringify([notices, hearsItself])
    if (shown === this.#shown) return // screen readers would announce it again
    this.#shown = shown
    this.#region.replaceChildren(
      ...(hearsItself ? [this.#notice(ECHO, () => this.#conversation.dismissEcho())] : []),
      ...notices.map((notice) => this.#notice(notice, () => this.#conversation.dismiss(notice))),
    )
  }

  #notice({ what, why, action }, dismiss) {
    const text = make("p", "", make("strong", "", what), " ", [why, action].filter(Boolean).join(" "))
    const button = Object.assign(make("button", "notice__dismiss", "Dismiss"), { type: "button" })
    button.addEventListener("click", dismiss)
    return make("div", "notice notice--warning conversation__notice", text, button)
  }
}
