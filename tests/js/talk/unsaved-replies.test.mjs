import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { UnsavedReplies } from "../../../static/js/talk/unsaved-replies.js"

const SECOND = 24000
let replies

beforeEach(() => (replies = new UnsavedReplies()))

function reply(number, ...words) {
  replies.start(number)
  words.forEach((text, i) => replies.addWord({ reply: number, text, start: i, end: i + 0.9 }))
}

test("words that were played have times of the session", () => {
  reply(1, "It", "is", "big.")
  replies.played({ reply: 1, sample: 2 * SECOND, at: 12 * SECOND })
  assert.deepEqual(replies.all, [{ is_complete: false, words: [["It", 10, 10.9], ["is", 11, 11.9]] }])
  replies.complete(1)
  assert.deepEqual(replies.all[0].words.at(-1), ["big.", 12, 12.9])
  assert.equal(replies.all[0].is_complete, true)
})

test("a gap in the playback shifts the times, and jitter does not", () => {
  reply(1, "It")
  replies.played({ reply: 1, sample: SECOND, at: 11 * SECOND })
  replies.played({ reply: 1, sample: 2 * SECOND, at: 12 * SECOND + 500 })
  assert.equal(replies.all[0].words[0][1], 10)
  replies.played({ reply: 1, sample: 3 * SECOND, at: 14 * SECOND })
  assert.equal(replies.all[0].words[0][1], 11)
})

test("saved replies, and those before them, are dropped", () => {
  for (const number of [1, 2, 3]) {
    reply(number, "Yes.")
    replies.played({ reply: number, sample: SECOND, at: number * 10 * SECOND })
  }
  replies.saved(2)
  assert.deepEqual(replies.all.map(({ words }) => words[0][1]), [29])
})

test("replies of earlier connections are kept, and their numbers are free again", () => {
  reply(1, "Old.")
  replies.played({ reply: 1, sample: SECOND, at: SECOND })
  replies.renumber()
  reply(1, "New.")
  replies.played({ reply: 1, sample: SECOND, at: 9 * SECOND })
  assert.deepEqual(replies.all.map(({ words }) => words[0][0]), ["Old.", "New."])
  replies.saved(1)
  assert.deepEqual(replies.all, [])
})

test("a reply of which nothing was played is not reported", () => {
  reply(1, "Yes.")
  replies.played({ reply: 1, sample: 0, at: SECOND })
  assert.deepEqual(replies.all, [])
})
