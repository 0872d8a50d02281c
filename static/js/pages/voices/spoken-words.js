// The text of a take, a sentence an element; of the sentence that is being spoken, each word is one, and one is lit.

import { placesIn, sentenceAt, sentencesOf } from "../../voices/sentences.js"
import { make } from "../live/dom.js"

export class SpokenWords {
  #region
  #take
  #sentences
  #elements
  #place
  #current = -1 // sentence
  #words = new Map() // by number, the elements of the current sentence
  #lit = null

  constructor(region, take) {
    this.#region = region
    this.#take = take
    this.#sentences = sentencesOf(take.text)
    this.#place = placesIn(take.text)
    this.#elements = this.#sentences.map(({ start, end }) => make("span", "spoken__sentence", take.text.slice(start, end)))
    region.replaceChildren(...this.#elements)
  }

  // "Sentence 3 of 40"; nothing where there is but one.
  get progress() {
    const count = this.#sentences.length
    const last = this.#take.words.at(-1)
    if (count < 2 || !last) return ""
    if (this.#current >= 0) return `Sentence ${this.#current + 1} of ${count}`
    return `Made up to sentence ${sentenceAt(this.#sentences, this.#place(last.at)) + 1} of ${count}`
  }

  // played: the sample that sounds; null when none does.
  show(played) {
    const number = played === null ? -1 : this.#take.wordAt(played)
    const word = this.#take.words[number]
    if (!word) return this.#leave()
    const sentence = sentenceAt(this.#sentences, this.#place(word.at))
    if (sentence !== this.#current) this.#enter(sentence)
    if (!this.#words.has(number)) this.#part(sentence)
    const element = this.#words.get(number)
    if (element === this.#lit) return
    this.#lit?.classList.remove("is-lit")
    this.#lit = element
    element?.classList.add("is-lit")
    if (element) this.#follow(element)
  }

  #leave() {
    if (this.#current < 0) return
    this.#restore()
    this.#current = -1
    this.#lit = null
  }

  #enter(sentence) {
    this.#restore()
    this.#current = sentence
    this.#elements[sentence].classList.add("is-current")
    this.#part(sentence)
  }

  // Cuts a sentence into the words that are known of it so far.
  #part(sentence) {
    const { start, end } = this.#sentences[sentence]
    const { text, words } = this.#take
    const parts = []
    this.#words.clear()
    let at = start
    words.forEach((word, number) => {
      const first = this.#place(word.at)
      if (first < start || first >= end || first < at) return
      const last = Math.min(end, first + word.text.length)
      const element = make("span", "spoken__word", text.slice(first, last))
      this.#words.set(number, element)
      parts.push(text.slice(at, first), element)
      at = last
    })
    parts.push(text.slice(at, end))
    this.#elements[sentence].replaceChildren(...parts)
    this.#lit = null
  }

  #restore() {
    if (this.#current < 0) return
    const { start, end } = this.#sentences[this.#current]
    this.#elements[this.#current].classList.remove("is-current")
    this.#elements[this.#current].textContent = this.#take.text.slice(start, end)
    this.#words.clear()
  }

  // Scrolls the text alone, never the page.
  #follow(element) {
    const { offsetTop, offsetHeight } = element
    const { scrollTop, clientHeight } = this.#region
    const isSeen = offsetTop >= scrollTop && offsetTop + offsetHeight <= scrollTop + clientHeight
    if (!isSeen) this.#region.scrollTop = Math.max(0, offsetTop - clientHeight / 3)
  }
}
