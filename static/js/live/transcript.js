// The words of a session as they come: final ones in utterances, and a tail that may still change, whose beginning
// has settled long before the sentence ends.
//
// Tells `word` {word, utterance}, `tail`, `endpoint` {utterance}, `rewind`, `clear`; knows no page.

import { clock } from "../web/clock.js"
import { Tail } from "./interim-text.js"

export class Transcript extends EventTarget {
  words = []
  utterances = [] // {first, count, segment, start, end, isOver}
  tailStart = 0
  #tail = new Tail()
  #early = new Map() // words before which others are still missing

  get tail() {
    return this.#tail.text
  }

  get settled() {
    return this.#tail.settled
  }

  // word: {index, segment, text, start, end, confidence}. One that is there already came again after a reconnection.
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
    const utterance = this.#openUtterance(word)
    this.words.push(word)
    utterance.count += 1
    utterance.end = word.end
    this.#tell("word", { word, utterance })
    this.#changeTail((tail) => tail.leave(word.text))
  }

  setTail(text, start = this.tailStart) {
    this.#changeTail((tail) => tail.read(text), start)
  }

  #changeTail(change, start = this.tailStart) {
    const { text, settled } = this.#tail
    change(this.#tail)
    if (text === this.tail && settled === this.settled) return
    this.tailStart = start
    this.#tell("tail")
  }

  endUtterance({ segment, end }) {
    this.setTail("")
    const utterance = this.utterances.at(-1)
    if (utterance?.segment === segment) this.#end(utterance, end)
  }

  // Forgets the words from number `count` on: the server has not stored them and will send them again.
  rewind(count) {
    this.setTail("")
    this.#early.clear()
    if (count >= this.words.length) return
    this.words.length = count
    while (this.utterances.length > 0 && this.utterances.at(-1).first >= count) this.utterances.pop()
    const utterance = this.utterances.at(-1)
    if (utterance && utterance.first + utterance.count > count) {
      utterance.count = count - utterance.first
      utterance.isOver = false
    }
    this.#tell("rewind", { utterance })
  }

  clear() {
    this.words = []
    this.utterances = []
    this.#tail.clear()
    this.#early.clear()
    this.#tell("clear")
  }

  // The number of the word that was said then or, in a pause, of the next one; of the last one after the end.
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

  // For the clipboard: one line an utterance.
  get text() {
    return this.utterances.map((utterance) => this.#lineOf(utterance)).join("\n")
  }

  // For a file: each line with its time.
  get timedText() {
    return this.utterances.map((one) => `[${clock(one.start)}] ${this.#lineOf(one)}\n`).join("")
  }

  #lineOf(utterance) {
    return this.wordsOf(utterance).map(({ text }) => text).join(" ")
  }

  #openUtterance(word) {
    const newest = this.utterances.at(-1)
    if (newest && !newest.isOver && newest.segment === word.segment) return newest
    if (newest) this.#end(newest, newest.end) // words that were fetched come without their end-points
    const { segment, start, end } = word
    const utterance = { first: this.words.length, count: 0, segment, start, end, isOver: false }
    this.utterances.push(utterance)
    return utterance
  }

  #end(utterance, end) {
    if (utterance.isOver) return
    utterance.isOver = true
    utterance.end = Math.max(utterance.end, end)
    this.#tell("endpoint", { utterance })
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
