// Words that a reloaded page lacks, from the REST API.

import assert from "node:assert/strict"
import { test } from "node:test"
import { fillGap } from "../../../static/js/live/fill-gap.js"
import { storedWords } from "../../../static/js/live/stored-words.js"
import { Transcript } from "../../../static/js/live/transcript.js"

const wordAt = (index) => ({ index, segment: 0, text: `w${index}`, start: index, end: index + 1, confidence: null })

function serve(context, status, ...pages) {
  const urls = []
  context.mock.method(globalThis, "fetch", async (url) => {
    urls.push(url)
    return { status, ok: status === 200, json: async () => pages.shift() }
  })
  return urls
}

test("words are read to the last page, from the first missing one", async (context) => {
  const urls = serve(
    context,
    200,
    { results: [wordAt(4), wordAt(5)], next: "http://localhost/?page=2" },
    { results: [wordAt(6)], next: null },
  )
  assert.deepEqual((await storedWords("/sessions/", "s1", 4)).map(({ index }) => index), [4, 5, 6])
  assert.deepEqual(urls, [4, 6].map((first) => `/sessions/s1/words/?first=${first}&per_page=5000`))
})

test("a deleted session is gone, and other errors can be retried", async (context) => {
  serve(context, 404)
  await assert.rejects(storedWords("/sessions/", "s1", 0), { kind: "gone" })
  context.mock.restoreAll()
  serve(context, 503)
  await assert.rejects(storedWords("/sessions/", "s1", 0), ({ kind }) => kind === undefined)
})

test("a gap is filled, with a pause after a failure or an empty answer", async () => {
  const transcript = new Transcript()
  const answers = [() => Promise.reject(new Error("down")), async () => [], async () => [wordAt(0), wordAt(1)]]
  let pauses = 0
  const firsts = []
  const fetchWords = (first) => (firsts.push(first), answers.shift()())
  await fillGap(transcript, 2, fetchWords, () => true, async () => (pauses += 1))
  assert.deepEqual([transcript.words.length, pauses, firsts], [2, 2, [0, 0, 0]])
})

test("words that arrive after the session is over are not shown", async () => {
  const transcript = new Transcript()
  let isWanted = true
  const fetchWords = async () => ((isWanted = false), [wordAt(0)])
  await fillGap(transcript, 1, fetchWords, () => isWanted)
  assert.equal(transcript.words.length, 0)
})
