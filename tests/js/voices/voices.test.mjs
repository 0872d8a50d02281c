import assert from "node:assert/strict"
import { test } from "node:test"

import { placesIn, sentenceAt, sentencesOf } from "../../../static/js/voices/sentences.js"
import { beyond, joined } from "../../../static/js/voices/take-store.js"
import { Take } from "../../../static/js/voices/take.js"
import { languagesOf, matching, sampleText, voicesOf } from "../../../static/js/voices/voices.js"

const voices = voicesOf([
  {
    name: "piper",
    label: "Piper",
    controls: [],
    voices: [
      { name: "slt", label: "SLT", language: "en-US", kind: "female", about: "from Pittsburgh" },
      { name: "awb", label: "AWB", language: "en-GB", kind: "male", about: "Scottish" },
    ],
  },
  { name: "espeak", label: "eSpeak NG", controls: [], voices: [{ name: "fr-fr", label: "French (France)", language: "fr-fr", kind: "male", about: "" }] },
])
const ids = (found) => found.map(({ id }) => id)

test("voices are found by words of their name, language, engine and description", () => {
  assert.deepEqual(ids(matching(voices, { query: "scot" })), ["piper/awb"])
  assert.deepEqual(ids(matching(voices, { query: "american piper" })), ["piper/slt"])
  assert.deepEqual(ids(matching(voices, { query: "nobody" })), [])
})

test("filters narrow down by language, kind and favourites", () => {
  assert.deepEqual(ids(matching(voices, { language: "en", kind: "male" })), ["piper/awb"])
  assert.deepEqual(ids(matching(voices, { favourites: new Set(["espeak/fr-fr"]) })), ["espeak/fr-fr"])
})

test("languages are offered once each, by name", () => {
  assert.deepEqual(languagesOf(voices), [["en", "English"], ["fr", "French"]])
})

test("a sample is in the voice's language", () => {
  assert.match(sampleText(voices[2]), /soleil/)
})

test("sentences are the whole text, and a position lies in one of them", () => {
  const text = "One is here. Two is there! Three?"
  const sentences = sentencesOf(text)
  assert.deepEqual(sentences.map(({ start, end }) => text.slice(start, end)), ["One is here. ", "Two is there! ", "Three?"])
  assert.deepEqual([0, 12, 13, 30].map((at) => sentenceAt(sentences, at)), [0, 0, 1, 2])
})

test("the server's characters are found where a letter takes two places", () => {
  const text = "a😀b"
  const place = placesIn(text)
  assert.equal(text.slice(place(2)), "b")
  assert.equal(placesIn("plain")(3), 3)
})

test("the word that sounds is the last that has begun", () => {
  const take = new Take({ text: "a b", speaker: {} , id: "1"})
  take.addWord({ text: "a", at: 0, start: 0.5, end: 0.8 })
  take.addWord({ text: "b", at: 2, start: 0.8, end: 1.2 })
  assert.deepEqual([0, 12_000, 19_200, 99_999].map((sample) => take.wordAt(sample)), [-1, 0, 1, 1])
})

test("the newest takes are kept, within an hour of audio and fifty of them", () => {
  const long = { samples: 40 * 60 * 24_000 }
  assert.deepEqual(beyond([long, long, { samples: 1 }]).length, 2)
  assert.deepEqual(beyond([{ samples: 70 * 60 * 24_000 }]), [])
  assert.equal(beyond(Array.from({ length: 60 }, () => ({ samples: 1 }))).length, 10)
  assert.deepEqual([...joined([Int16Array.of(1, 2), Int16Array.of(3)], 3)], [1, 2, 3])
})
