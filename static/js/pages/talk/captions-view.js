// The log of both sides' captions: turns that are over, the reply that is played, and what the user is saying.

import { ASSISTANT } from "../../talk/captions.js"
import { gap, textOfWords } from "../../text/word-spacing.js"
import { make } from "../../web/dom.js"
import { AutoScroll } from "../live/transcript/auto-scroll.js"

export class CaptionsView {
  #log
  #newest
  #conversation
  #elements = new Map() // by turn
  #current = null // of the user's turn that is not over
  #scroll = new AutoScroll()
  #isScheduled = false

  constructor({ log, newest, conversation }) {
    this.#log = log
    this.#newest = newest
    this.#conversation = conversation
    const { captions, speech } = conversation
    captions.addEventListener("turn", ({ detail }) => this.#showTurn(detail))
    captions.addEventListener("clear", () => this.#clear())
    speech.addEventListener("change", () => this.#showSpeech())
    log.addEventListener("scroll", () => this.#onScroll())
    new ResizeObserver(() => this.#scheduleScroll()).observe(log) // a notice makes it smaller
    newest.addEventListener("click", () => this.#goToNewest())
  }

  // Marks speech as unfinished while it can't be transcribed.
  showConnection() {
    const isUnfinished = !this.#conversation.isConnected
    this.#current?.classList.toggle("turn--unfinished", isUnfinished)
  }

  #showTurn(turn) {
    let element = this.#elements.get(turn)
    if (!element) {
      element = createTurn(turn.speaker === ASSISTANT ? "assistant" : "user")
      this.#elements.set(turn, element)
      this.#log.insertBefore(element, this.#current)
    }
    element.classList.toggle("turn--cut", turn.isCut ?? false)
    element.hidden = turn.text === ""
    textOf(element).textContent = turn.text
    this.#scheduleScroll()
  }

  #showSpeech() {
    const { words, interim, text } = this.#conversation.speech
    if (!text) {
      this.#current?.remove()
      this.#current = null
      return
    }
    if (!this.#current) this.#log.append((this.#current = createTurn("user")))
    const final = textOfWords(words)
    textOf(this.#current).replaceChildren(final, gap(final, interim), make("span", "tail", interim))
    this.showConnection()
    this.#scheduleScroll()
  }

  #clear() {
    this.#elements.clear()
    this.#log.replaceChildren()
    this.#current = null
    this.#scroll.resume()
    this.#newest.hidden = true
  }

  #onScroll() {
    this.#scroll.onScroll(this.#log)
    this.#newest.hidden = this.#scroll.isOn
  }

  #goToNewest() {
    this.#scroll.resume()
    this.#scheduleScroll()
    this.#log.focus()
  }

  #scheduleScroll() {
    if (this.#isScheduled || !this.#scroll.isOn) return
    this.#isScheduled = true
    requestAnimationFrame(() => {
      this.#isScheduled = false
      this.#log.scrollTop = this.#log.scrollHeight
    })
  }
}

function createTurn(side) {
  const speaker = make("p", "turn__speaker", side === "user" ? "You" : "Assistant")
  return make("div", `turn turn--${side}`, speaker, make("p", "turn__text"))
}

function textOf(turn) {
  return turn.lastElementChild
}
