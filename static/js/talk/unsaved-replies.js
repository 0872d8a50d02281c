// What was played of the replies that the server has not saved yet. After a lost connection the server gets it, because
// it may have been restarted.

import { SAMPLE_RATE } from "../audio/samples.js"

const MAX_REPLIES = 20
const OFFSET_TOLERANCE = 0.05 * SAMPLE_RATE // reports differ by the jitter of clocks; more is a gap in the playback

export class UnsavedReplies {
  #replies = [] // {reply, words, played, offset, isComplete}, in the order in which the server saves them

  start(reply) {
    this.#replies.push({ reply, words: [], played: 0, offset: null, isComplete: false })
    this.#replies = this.#replies.slice(-MAX_REPLIES)
  }

  // Times in seconds of the reply's audio.
  addWord({ reply, text, start, end }) {
    this.#find(reply)?.words.push({ text, start, end })
  }

  // The loudspeaker was at `sample` of the reply when the microphone recorded sample `at` of the session.
  played({ reply, sample, at }) {
    const found = this.#find(reply)
    if (!found || sample <= found.played) return
    const offset = at - sample
    found.played = sample
    if (found.offset === null || Math.abs(offset - found.offset) > OFFSET_TOLERANCE) found.offset = offset
  }

  // The reply was played to its end.
  complete(reply) {
    const found = this.#find(reply)
    if (found) found.isComplete = true
  }

  // Replies are saved in order, so the ones before it are saved too.
  saved(reply) {
    const index = this.#replies.findIndex((each) => each.reply === reply)
    this.#replies.splice(0, index + 1)
  }

  // A new connection numbers its replies from the beginning.
  renumber() {
    for (const each of this.#replies) each.reply = null
  }

  clear() {
    this.#replies = []
  }

  // As in the start message: [{is_complete, words: [[text, start, end], …]}], times in seconds of the session.
  get all() {
    const played = this.#replies.map((each) => ({ is_complete: each.isComplete, words: playedWords(each) }))
    return played.filter(({ words }) => words.length > 0)
  }

  #find(reply) {
    return this.#replies.findLast((each) => each.reply === reply)
  }
}

function playedWords({ words, played, offset, isComplete }) {
  if (offset === null) return []
  const timed = words.filter(({ end }) => isComplete || end <= played / SAMPLE_RATE)
  const shift = offset / SAMPLE_RATE
  return timed.map(({ text, start, end }) => [text, rounded(shift + start), rounded(shift + end)])
}

function rounded(seconds) {
  return Math.round(seconds * 1000) / 1000
}
