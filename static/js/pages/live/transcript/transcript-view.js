// Renders the transcript as it grows: each word is appended once and never rendered again.

import { gap } from "../../../text/word-spacing.js"
import { clock } from "../../../web/clock.js"
import { make } from "../../../web/dom.js"
import { AutoScroll } from "./auto-scroll.js"

const LOW_CONFIDENCE = 0.15

export class TranscriptView {
  #log
  #newest
  #transcript
  #words = []
  #lastWord = "" // its text
  #segments = []
  #isOpen = false // whether the last segment accepts more words
  #settled = make("span", "tail__settled")
  #unsettled = make("span", "tail__unsettled")
  #interim = make("span", "tail", this.#settled, this.#unsettled)
  #autoScroll = new AutoScroll()
  #isScrollScheduled = false

  constructor({ log, newest, transcript }) {
    this.#log = log
    this.#newest = newest
    this.#transcript = transcript
    // Assistive technology announces each word once, when it is final.
    this.#interim.setAttribute("aria-hidden", "true")

    transcript.addEventListener("word", ({ detail }) => this.#addWord(detail.word))
    transcript.addEventListener("interim", () => this.#showInterim())
    transcript.addEventListener("endpoint", () => (this.#isOpen = false))
    transcript.addEventListener("rewind", ({ detail }) => this.#rewind(detail.segment))
    transcript.addEventListener("clear", () => this.#clear())
    log.addEventListener("scroll", () => this.#onScroll(), { passive: true })
    newest.addEventListener("click", () => this.follow())
    new ResizeObserver(() => this.#scheduleScroll()).observe(log)
  }

  follow() {
    this.#autoScroll.resume()
    this.#newest.hidden = true
    this.#scheduleScroll()
  }

  // Scrolls to a word; the log stops following the newest words.
  goTo(index) {
    const word = this.#words[index]
    word?.scrollIntoView({ block: "center" })
    word?.focus({ preventScroll: true })
  }

  #addWord(word) {
    const isFirst = !this.#isOpen || this.#interim.previousSibling === null
    this.#openSegment()
    if (isFirst) this.#showTime(word.start)
    const element = wordElement(word)
    this.#words.push(element)
    this.#interim.before(isFirst ? "" : gap(this.#lastWord, word.text), element)
    this.#lastWord = word.text
    this.#scheduleScroll()
  }

  // Interim text may be the first text of a segment.
  #showInterim() {
    const { interim, settled, interimStart } = this.#transcript
    if (interim && !this.#isOpen) {
      this.#openSegment()
      this.#showTime(interimStart)
    }
    const space = this.#interim.previousSibling ? gap(this.#lastWord, interim) : ""
    this.#settled.textContent = space + settled
    this.#unsettled.textContent = interim.slice(settled.length)
    if (!interim) this.#removeEmptySegment()
    this.#scheduleScroll()
  }

  // The engine withdrew all of the interim text.
  #removeEmptySegment() {
    if (!this.#isOpen || this.#interim.previousSibling) return
    this.#segments.pop().remove()
    this.#isOpen = false
  }

  #openSegment() {
    if (this.#isOpen) return
    this.#isOpen = true
    const words = make("span", "segment__words", this.#interim)
    const segment = make("p", "segment", make("time", "segment__time"), words)
    this.#segments.push(segment)
    this.#log.append(segment)
  }

  #showTime(start) {
    const time = this.#segments.at(-1).firstElementChild
    time.dateTime = `PT${start}S`
    time.textContent = clock(start)
  }

  #rewind(segment) {
    for (const element of this.#words.splice(this.#transcript.words.length)) element.remove()
    for (const element of this.#segments.splice(this.#transcript.segments.length)) element.remove()
    this.#lastWord = this.#transcript.words.at(-1)?.text ?? ""
    this.#isOpen = Boolean(segment && !segment.isOver)
    if (this.#isOpen) this.#segments.at(-1).lastElementChild.append(this.#interim)
  }

  #clear() {
    this.#log.replaceChildren()
    this.#words = []
    this.#segments = []
    this.#isOpen = false
    this.#settled.textContent = this.#unsettled.textContent = ""
    this.follow()
  }

  #onScroll() {
    this.#autoScroll.onScroll(this.#log)
    this.#newest.hidden = this.#autoScroll.isOn
  }

  // At most once a frame: reading the height forces a layout.
  #scheduleScroll() {
    if (!this.#autoScroll.isOn || this.#isScrollScheduled) return
    this.#isScrollScheduled = true
    requestAnimationFrame(() => {
      this.#isScrollScheduled = false
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
