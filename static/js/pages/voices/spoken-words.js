// The text of a clip, with an element per sentence; the current sentence has an element per word, and the current word
// is highlighted.

import { offsetConverter, sentenceAt, sentencesOf } from "../../voices/sentences.js"
import { make } from "../../web/dom.js"

export class SpokenWords {
  #region
  #clip
  #sentences
  #elements
  #toOffset
  #current = -1 // sentence
  #words = new Map() // elements of the current sentence by word index
  #highlighted = null

  constructor(region, clip) {
    this.#region = region
    this.#clip = clip
    this.#sentences = sentencesOf(clip.text)
    this.#toOffset = offsetConverter(clip.text)
    this.#elements = this.#sentences.map(({ start, end }) => make("span", "spoken__sentence", clip.text.slice(start, end)))
    region.replaceChildren(...this.#elements)
  }

  // "Sentence 3 of 40"; empty for a single sentence.
  get progress() {
    const count = this.#sentences.length
    const last = this.#clip.words.at(-1)
    if (count < 2 || !last) return ""
    if (this.#current >= 0) return `Sentence ${this.#current + 1} of ${count}`
    return `Generated ${sentenceAt(this.#sentences, this.#toOffset(last.at)) + 1} of ${count} sentences`
  }

  // played: the sample being played, or null.
  show(played) {
    const index = played === null ? -1 : this.#clip.wordAt(played)
    const word = this.#clip.words[index]
    if (!word) return this.#clear()
    const sentence = sentenceAt(this.#sentences, this.#toOffset(word.at))
    if (sentence !== this.#current) this.#enter(sentence)
    if (!this.#words.has(index)) this.#splitWords(sentence)
    const element = this.#words.get(index)
    if (element === this.#highlighted) return
    this.#highlighted?.classList.remove("is-lit")
    this.#highlighted = element
    element?.classList.add("is-lit")
    if (element) this.#follow(element)
  }

  #clear() {
    if (this.#current < 0) return
    this.#restore()
    this.#current = -1
    this.#highlighted = null
  }

  #enter(sentence) {
    this.#restore()
    this.#current = sentence
    this.#elements[sentence].classList.add("is-current")
    this.#splitWords(sentence)
  }

  // Splits a sentence into the words received so far.
  #splitWords(sentence) {
    const { start, end } = this.#sentences[sentence]
    const { text, words } = this.#clip
    const parts = []
    this.#words.clear()
    let at = start
    words.forEach((word, index) => {
      const first = this.#toOffset(word.at)
      if (first < start || first >= end || first < at) return
      const last = Math.min(end, first + word.text.length)
      const element = make("span", "spoken__word", text.slice(first, last))
      this.#words.set(index, element)
      parts.push(text.slice(at, first), element)
      at = last
    })
    parts.push(text.slice(at, end))
    this.#elements[sentence].replaceChildren(...parts)
    this.#highlighted = null
  }

  #restore() {
    if (this.#current < 0) return
    const { start, end } = this.#sentences[this.#current]
    this.#elements[this.#current].classList.remove("is-current")
    this.#elements[this.#current].textContent = this.#clip.text.slice(start, end)
    this.#words.clear()
  }

  // Scrolls the text region, never the page.
  #follow(element) {
    const { offsetTop, offsetHeight } = element
    const { scrollTop, clientHeight } = this.#region
    const isSeen = offsetTop >= scrollTop && offsetTop + offsetHeight <= scrollTop + clientHeight
    if (!isSeen) this.#region.scrollTop = Math.max(0, offsetTop - clientHeight / 3)
  }
}
