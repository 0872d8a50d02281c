// Writes the transcript down as it grows: a word is appended once and never drawn again.

import { clock } from "../../web/clock.js"
import { make } from "./dom.js"
import { Following } from "./auto-scroll.js"

const LOW_CONFIDENCE = 0.15

export class TranscriptView {
  #log
  #newest
  #transcript
  #words = []
  #utterances = []
  #isOpen = false // whether the last utterance takes more words
  #settled = make("span", "tail__settled")
  #unsettled = make("span", "tail__unsettled")
  #tail = make("span", "tail", this.#settled, this.#unsettled)
  #following = new Following()
  #isScrollDue = false

  constructor({ log, newest, transcript }) {
    this.#log = log
    this.#newest = newest
    this.#transcript = transcript
    // Assistive technology hears each word once, when it is final.
    this.#tail.setAttribute("aria-hidden", "true")

    transcript.addEventListener("word", ({ detail }) => this.#addWord(detail.word))
    transcript.addEventListener("tail", () => this.#showTail())
    transcript.addEventListener("endpoint", () => (this.#isOpen = false))
    transcript.addEventListener("rewind", ({ detail }) => this.#rewind(detail.utterance))
    transcript.addEventListener("clear", () => this.#clear())
    log.addEventListener("scroll", () => this.#scrolled(), { passive: true })
    newest.addEventListener("click", () => this.follow())
    new ResizeObserver(() => this.#scrollSoon()).observe(log)
  }

  follow() {
    this.#following.goOn()
    this.#newest.hidden = true
    this.#scrollSoon()
  }

  // Leads the reader to a word; the newest ones no longer pull the page along.
  goTo(index) {
    const word = this.#words[index]
    word?.scrollIntoView({ block: "center" })
    word?.focus({ preventScroll: true })
  }

  #addWord(word) {
    const isFirst = !this.#isOpen || this.#tail.previousSibling === null
    this.#openUtterance()
    if (isFirst) this.#showTime(word.start)
    const element = wordElement(word)
    this.#words.push(element)
    this.#tail.before(element, " ")
    this.#scrollSoon()
  }

  // A tail may be the first sign of an utterance.
  #showTail() {
    const { tail, settled, tailStart } = this.#transcript
    if (tail && !this.#isOpen) {
      this.#openUtterance()
      this.#showTime(tailStart)
    }
    this.#settled.textContent = settled
    this.#unsettled.textContent = tail.slice(settled.length)
    if (!tail) this.#dropEmptyUtterance()
    this.#scrollSoon()
  }

  // The engine took everything back that it had believed to hear.
  #dropEmptyUtterance() {
    if (!this.#isOpen || this.#tail.previousSibling) return
    this.#utterances.pop().remove()
    this.#isOpen = false
  }

  #openUtterance() {
    if (this.#isOpen) return
    this.#isOpen = true
    const words = make("span", "utterance__words", this.#tail)
    const utterance = make("p", "utterance", make("time", "utterance__time"), words)
    this.#utterances.push(utterance)
    this.#log.append(utterance)
  }

  #showTime(start) {
    const time = this.#utterances.at(-1).firstElementChild
    time.dateTime = `PT${start}S`
    time.textContent = clock(start)
  }

  #rewind(utterance) {
    for (const element of this.#words.splice(this.#transcript.words.length)) element.remove()
    for (const element of this.#utterances.splice(this.#transcript.utterances.length)) element.remove()
    this.#isOpen = Boolean(utterance && !utterance.isOver)
    if (this.#isOpen) this.#utterances.at(-1).lastElementChild.append(this.#tail)
  }

  #clear() {
    this.#log.replaceChildren()
    this.#words = []
    this.#utterances = []
    this.#isOpen = false
    this.#settled.textContent = this.#unsettled.textContent = ""
    this.follow()
  }

  #scrolled() {
    this.#following.scrolled(this.#log)
    this.#newest.hidden = this.#following.isOn
  }

  // Once a frame, however many words came: reading the height makes the browser lay the page out.
  #scrollSoon() {
    if (!this.#following.isOn || this.#isScrollDue) return
    this.#isScrollDue = true
    requestAnimationFrame(() => {
      this.#isScrollDue = false
      this.#log.scrollTop = this.#log.scrollHeight
    })
  }
}

function wordElement({ index, text, confidence }) {
  const element = make("span", "word", text)
  element.dataset.index = index
  element.tabIndex = -1
  if (confidence !== null && confidence < LOW_CONFIDENCE) element.classList.add("word--unsure")
  return element
}
