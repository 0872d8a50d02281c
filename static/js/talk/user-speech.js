// What the user says in the turn that is not over yet: final words, and interim text that may still change. A session's
// words of both speakers share their indexes, so those of the user have gaps. Emits `change`.

import { InterimText } from "../live/interim-text.js"
import { joinWords } from "../text/word-spacing.js"

const MIN_INTERIM_S = 0.5 // engines invent text for less audio

export class UserSpeech extends EventTarget {
  words = []
  #interim = new InterimText()
  #next = 0 // words before this index belong to earlier turns

  get interim() {
    return this.#interim.text
  }

  get text() {
    return joinWords([...this.words.map(({ text }) => text), this.interim])
  }

  // word: {index, text, …}. Words arrive again after a reconnection.
  add(word) {
    if (word.index < this.#next || this.words.some(({ index }) => index === word.index)) return
    this.words.push(word)
    this.#interim.finalize(word.text)
    this.#emitChange()
  }

  setInterim(text, start = 0, end = Infinity) {
    if (text && end - start < MIN_INTERIM_S) return
    this.#interim.update(text)
    this.#emitChange()
  }

  endSegment() {
    this.setInterim("")
  }

  // The server sends the words from index `count` again.
  rewind(count) {
    this.words = this.words.filter(({ index }) => index < count)
    this.setInterim("")
  }

  // The turn is over, or its words count for nothing.
  finish() {
    this.#next = Math.max(this.#next, ...this.words.map(({ index }) => index + 1))
    this.words = []
    this.#interim.clear()
    this.#emitChange()
  }

  clear() {
    this.#next = 0
    this.words = []
    this.#interim.clear()
    this.#emitChange()
  }

  #emitChange() {
    this.dispatchEvent(new CustomEvent("change"))
  }
}
