// The words of a session as they arrive: final words in segments, and interim text that may still change, whose prefix
// settles long before the sentence ends.
//
// Emits `word` {word, segment}, `interim`, `endpoint` {segment}, `rewind` {segment}, `clear`. Independent of the DOM.

import { textOfWords } from "../text/word-spacing.js"
import { clock } from "../web/clock.js"
import { InterimText } from "./interim-text.js"

export class Transcript extends EventTarget {
  words = []
  segments = [] // {first, count, index, start, end, isOver}
  interimStart = 0
  #interim = new InterimText()
  #early = new Map() // words that arrived before their predecessors

  get interim() {
    return this.#interim.text
  }

  get settled() {
    return this.#interim.settled
  }

  // word: {index, segment, text, start, end, confidence}. Duplicates arrive after a reconnection and are ignored.
  add(word) {
    if (word.index < this.words.length) return
    if (word.index > this.words.length) return this.#early.set(word.index, word)
    this.#append(word)
    for (let next; (next = this.#early.get(this.words.length)); ) {
      this.#early.delete(next.index)
      this.#append(next)
    }
  }

  #append(word) {
    const segment = this.#openSegment(word)
    this.words.push(word)
    segment.count += 1
    segment.end = word.end
    this.#emit("word", { word, segment })
    this.#changeInterim((interim) => interim.finalize(word.text))
  }

  setInterim(text, start = this.interimStart) {
    this.#changeInterim((interim) => interim.update(text), start)
  }

  #changeInterim(change, start = this.interimStart) {
    const { text, settled } = this.#interim
    change(this.#interim)
    if (text === this.interim && settled === this.settled) return
    this.interimStart = start
    this.#emit("interim")
  }

  endSegment({ segment: index, end }) {
    this.setInterim("")
    const segment = this.segments.at(-1)
    if (segment?.index === index) this.#end(segment, end)
  }

  // Removes the words from index `count`: the server has not saved them and will send them again.
  rewind(count) {
    this.setInterim("")
    this.#early.clear()
    if (count >= this.words.length) return
    this.words.length = count
    while (this.segments.length > 0 && this.segments.at(-1).first >= count) this.segments.pop()
    const segment = this.segments.at(-1)
    if (segment && segment.first + segment.count > count) {
      segment.count = count - segment.first
      segment.isOver = false
    }
    this.#emit("rewind", { segment })
  }

  clear() {
    this.words = []
    this.segments = []
    this.#interim.clear()
    this.#early.clear()
    this.#emit("clear")
  }

  // The index of the word spoken at a time; in a pause the next word's, after the end the last word's.
  indexAt(seconds) {
    let [low, high] = [0, this.words.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      this.words[middle].end > seconds ? (high = middle) : (low = middle + 1)
    }
    return low
  }

  wordsOf({ first, count }) {
    return this.words.slice(first, first + count)
  }

  // For the clipboard: one line per segment.
  get text() {
    return this.segments.map((segment) => this.#lineOf(segment)).join("\n")
  }

  // For a file: each line with its start time.
  get timedText() {
    return this.segments.map((segment) => `[${clock(segment.start)}] ${this.#lineOf(segment)}\n`).join("")
  }

  #lineOf(segment) {
    return textOfWords(this.wordsOf(segment))
  }

  #openSegment(word) {
    const newest = this.segments.at(-1)
    if (newest && !newest.isOver && newest.index === word.segment) return newest
    if (newest) this.#end(newest, newest.end) // fetched words arrive without their endpoints
    const { segment: index, start, end } = word
    const segment = { first: this.words.length, count: 0, index, start, end, isOver: false }
    this.segments.push(segment)
    return segment
  }

  #end(segment, end) {
    if (segment.isOver) return
    segment.isOver = true
    segment.end = Math.max(segment.end, end)
    this.#emit("endpoint", { segment })
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
