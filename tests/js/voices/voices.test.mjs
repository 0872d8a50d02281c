import assert from "node:assert/strict"
import { test } from "node:test"

import { offsetConverter, sentenceAt, sentencesOf } from "../../../static/js/voices/sentences.js"
import { Clip } from "../../../static/js/voices/clip.js"
import { beyondLimits } from "../../../static/js/voices/clip-store.js"
import { languagesOf, matching, sampleText, voicesOf } from "../../../static/js/voices/voice-catalog.js"

const voices = voicesOf([
  {
    name: "piper",
    label: "Piper",
    controls: [],
    voices: [
      { name: "slt", label: "SLT", language: "en-US", kind: "female", description: "from Pittsburgh" },
      { name: "awb", label: "AWB", language: "en-GB", kind: "male", description: "Scottish", license: "CC BY 4.0" },
    ],
  },
  { name: "espeak", label: "eSpeak NG", controls: [], voices: [{ name: "fr-fr", label: "French (France)", language: "fr-fr", kind: "male", description: "" }] },
])
const ids = (found) => found.map(({ id }) => id)

test("voices are found by words of their name, language, engine, description and license", () => {
  assert.deepEqual(ids(matching(voices, { query: "scot" })), ["piper/awb"])
  assert.deepEqual(ids(matching(voices, { query: "american piper" })), ["piper/slt"])
  assert.deepEqual(ids(matching(voices, { query: "cc by" })), ["piper/awb"])
  assert.deepEqual(ids(matching(voices, { query: "martian" })), [])
})

test("filters narrow down by language, kind and favorites", () => {
  assert.deepEqual(ids(matching(voices, { language: "en", kind: "male" })), ["piper/awb"])
  assert.deepEqual(ids(matching(voices, { favorites: new Set(["espeak/fr-fr"]) })), ["espeak/fr-fr"])
})

test("languages are offered once each, by name", () => {
  assert.deepEqual(languagesOf(voices), [["en", "English"], ["fr", "French"]])
})

test("a sample is in the voice's language", () => {
  assert.match(sampleText(voices[2]), /soleil/)
})

test("sentences cover the whole text, and each position lies in one of them", () => {
  const text = "One is here. Two is there! Three?"
  const sentences = sentencesOf(text)
  assert.deepEqual(sentences.map(({ start, end }) => text.slice(start, end)), ["One is here. ", "Two is there! ", "Three?"])
  assert.deepEqual([0, 12, 13, 30].map((at) => sentenceAt(sentences, at)), [0, 0, 1, 2])
})

test("server offsets are converted where a character has two code units", () => {
  const text = "a😀b"
  const toOffset = offsetConverter(text)
  assert.equal(text.slice(toOffset(2)), "b")
  assert.equal(offsetConverter("plain")(3), 3)
})

test("the current word is the last that has started", () => {
  const clip = new Clip({ text: "a b", speaker: {}, id: "1"})
  clip.addWord({ text: "a", at: 0, start: 0.5, end: 0.8 })
  clip.addWord({ text: "b", at: 2, start: 0.8, end: 1.2 })
  assert.deepEqual([0, 12_000, 19_200, 99_999].map((sample) => clip.wordAt(sample)), [-1, 0, 1, 1])
})

test("the newest clips are kept, up to an hour of audio and 50 clips", () => {
  const long = { samples: 40 * 60 * 24_000 }
  assert.deepEqual(beyondLimits([long, long, { samples: 1 }]).length, 2)
  assert.deepEqual(beyondLimits([{ samples: 70 * 60 * 24_000 }]), [])
  assert.equal(beyondLimits(Array.from({ length: 60 }, () => ({ samples: 1 }))).length, 10)
})
