// The words on the page as playback positions: their timeline, the highlighted word, and the word at a given time.

import { Timeline } from "../../playback/timeline.js"

export class WordsView {
  timeline
  #transcript
  #words = []
  #highlighted = null

  constructor(transcript) {
    this.#transcript = transcript
    this.read()
  }

  // Call it again after an edit.
  read() {
    this.#words = this.#transcript ? [...this.#transcript.querySelectorAll(".word[data-start]")] : []
    const timed = this.#words.map((element) => ({ element, start: Number(element.dataset.start), end: Number(element.dataset.end) }))
    timed.sort((one, other) => one.start - other.start)
    this.#words = timed.map(({ element }) => element)
    this.timeline = new Timeline(timed)
  }

  // Start times, in seconds, of the words found by the search.
  get found() {
    return this.#words.filter((word) => word.classList.contains("word--found")).map((word) => Number(word.dataset.start))
  }

  // The start time of a word; a word added by hand has that of the preceding timed word.
  startOf(word) {
    if (word.dataset.start) return Number(word.dataset.start)
    const segment = word.closest(".segment")
    const words = [...segment.querySelectorAll(".word")]
    const timed = words.slice(0, words.indexOf(word)).findLast((other) => other.dataset.start)
    return Number(timed?.dataset.start ?? segment.dataset.start)
  }

  // Highlights the spoken word; with `follows` it is scrolled into view.
  highlight(seconds, { follows = false } = {}) {
    const word = this.#words[this.timeline.wordAt(seconds)] ?? null
    if (word === this.#highlighted) return
    this.#highlighted?.classList.remove("word--now")
    word?.classList.add("word--now")
    this.#highlighted = word
    if (word && follows && !isInView(word)) word.scrollIntoView({ block: "center" })
  }

  show(seconds) {
    const word = this.#words[this.timeline.wordFrom(seconds)] ?? this.#words.at(-1)
    word?.scrollIntoView({ block: "center" })
    return word
  }
}

// Whether a word is visible above the player at the lower edge.
function isInView(word) {
  const { top, bottom } = word.getBoundingClientRect()
  const player = document.getElementById("player")?.getBoundingClientRect().top ?? innerHeight
  return top >= 0 && bottom <= player
}
