// The words on the page as things to play from: which there are, which is lit, which one a moment means.

import { Timeline } from "../../playback/timeline.js"

export class WordsView {
  timeline
  #transcript
  #words = []
  #lit = null

  constructor(transcript) {
    this.#transcript = transcript
    this.read()
  }

  // Again, after a correction.
  read() {
    this.#words = this.#transcript ? [...this.#transcript.querySelectorAll(".word[data-start]")] : []
    const timed = this.#words.map((element) => ({ element, start: Number(element.dataset.start), end: Number(element.dataset.end) }))
    timed.sort((one, other) => one.start - other.start)
    this.#words = timed.map(({ element }) => element)
    this.timeline = new Timeline(timed)
  }

  // The times in seconds of the words that were searched for.
  get found() {
    return this.#words.filter((word) => word.classList.contains("word--found")).map((word) => Number(word.dataset.start))
  }

  // Where to begin in order to hear a word; one that was written in has the time of those before it.
  startOf(word) {
    if (word.dataset.start) return Number(word.dataset.start)
    const utterance = word.closest(".utterance")
    const before = [...utterance.querySelectorAll(".word")]
    const timed = before.slice(0, before.indexOf(word)).findLast((other) => other.dataset.start)
    return Number(timed?.dataset.start ?? utterance.dataset.start)
  }

  // Lights the word that is spoken; with `follows` it is scrolled into view.
  light(seconds, { follows = false } = {}) {
    const word = this.#words[this.timeline.wordAt(seconds)] ?? null
    if (word === this.#lit) return
    this.#lit?.classList.remove("word--now")
    word?.classList.add("word--now")
    this.#lit = word
    if (word && follows && !isInView(word)) word.scrollIntoView({ block: "center" })
  }

  show(seconds) {
    const word = this.#words[this.timeline.wordFrom(seconds)] ?? this.#words.at(-1)
    word?.scrollIntoView({ block: "center" })
    return word
  }
}

// Above what lies at the lower edge, and not hidden by another one's correction.
function isInView(word) {
  const { top, bottom } = word.getBoundingClientRect()
  const player = document.getElementById("player")?.getBoundingClientRect().top ?? innerHeight
  return top >= 0 && bottom <= player
}
