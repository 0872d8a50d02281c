// The state in words and color, and the large button.

import { stateOf } from "./states.js"

export class StageView {
  #page
  #parts
  #choose
  #action = null

  // parts: {button, label, state, hint, mute, end, composer}; choose(action) is called when the button is pressed, with
  // "hold" and "release" for push-to-talk.
  constructor({ page, parts, choose }) {
    this.#page = page
    this.#parts = parts
    this.#choose = choose
    const { button } = parts
    button.addEventListener("click", () => this.#action && this.#action !== "hold" && choose(this.#action))
    button.addEventListener("pointerdown", (event) => this.#onPress(event))
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(name, () => this.#action === "hold" && choose("release"))
    }
    button.addEventListener("contextmenu", (event) => this.#action === "hold" && event.preventDefault()) // a long press
  }

  show(conversation) {
    const { button, label, state, hint, mute, end, composer } = this.#parts
    const { word = "", tone, action, hint: advice = "", label: name } = stateOf(conversation)
    const { session, isMuted, isPushToTalk } = conversation
    this.#action = action
    Object.assign(this.#page.dataset, { state: conversation.state, tone, active: session.isActive })
    setText(state, word)
    setText(hint, advice)
    setText(label, name)
    // Not `disabled`, which would move the focus of keyboard users.
    button.setAttribute("aria-disabled", String(action === null))
    const isOver = !session.isActive
    if (isOver && [mute, end].includes(document.activeElement)) button.focus()
    mute.hidden = session.phase !== "running" || isPushToTalk
    mute.setAttribute("aria-pressed", String(isMuted))
    composer.hidden = session.phase !== "running"
    end.hidden = isOver
  }

  #onPress(event) {
    if (this.#action !== "hold") return
    this.#parts.button.setPointerCapture(event.pointerId)
    this.#choose("hold")
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}
