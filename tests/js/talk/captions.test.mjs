import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { ASSISTANT, Captions, USER } from "../../../static/js/talk/captions.js"

let captions, changed

beforeEach(() => {
  captions = new Captions()
  changed = []
  captions.addEventListener("turn", ({ detail }) => changed.push(detail.text))
})

function reply(number, ...words) {
  captions.startReply(number)
  words.forEach((text, i) => captions.addReplyWord({ reply: number, text, start: i, end: i + 1 }))
}

const shown = () => captions.turns.map(({ speaker, text }) => [speaker, text])

test("a reply's words appear when they are played", () => {
  captions.addUserTurn("And Paris?")
  reply(1, "It", "is", "big.")
  captions.showReplyUntil(1, 0.5)
  assert.deepEqual(shown(), [[USER, "And Paris?"], [ASSISTANT, "It"]])
  captions.showReplyUntil(1, 1.2)
  captions.showReplyUntil(1, 1.3)
  assert.deepEqual(changed, ["And Paris?", "", "It", "It is"])
})

test("a reply that was played to its end is shown completely", () => {
  reply(1, "It", "is", "big.")
  captions.endReply(1)
  assert.equal(captions.turns[0].text, "It is big.")
  assert.ok(captions.turns[0].isOver)
})

test("a reply that is cut shows what was played, then what the server counts", () => {
  reply(1, "It", "is", "big.")
  captions.showReplyUntil(1, 1)
  captions.cutReply(1)
  captions.endReply(1)
  captions.showReplyUntil(1, 9)
  assert.equal(captions.turns[0].text, "It is—")
  captions.cutReply(1, "It—")
  assert.deepEqual([captions.turns[0].text, captions.turns[0].isCut], ["It—", true])
})

test("a reply that was never played disappears", () => {
  captions.addUserTurn("Hello.")
  reply(1, "Hi.")
  captions.cutReply(1, "")
  assert.deepEqual(shown(), [[USER, "Hello."]])
  assert.equal(changed.at(-1), "")
})

test("a turn that was reopened is extended, and any other one is added", () => {
  captions.addUserTurn("What is")
  captions.addUserTurn("What is the capital?")
  captions.addUserTurn("Thanks.")
  captions.addUserTurn("Thanks. Bye.", true)
  assert.deepEqual(captions.turns.map(({ text }) => text), ["What is the capital?", "Thanks.", "Thanks. Bye."])
})

test("words of another reply are ignored", () => {
  reply(2, "Yes.")
  captions.addReplyWord({ reply: 1, text: "late", start: 0, end: 1 })
  captions.showReplyUntil(1, 5)
  captions.endReply(1)
  assert.deepEqual([captions.turns[0].text, captions.turns[0].isOver], ["", false])
})

test("earlier turns replace what is shown", () => {
  captions.addUserTurn("Hello.")
  captions.restore([{ speaker: USER, text: "Hello." }, { speaker: ASSISTANT, text: "Hi, my—" }])
  assert.deepEqual(shown(), [[USER, "Hello."], [ASSISTANT, "Hi, my—"]])
  assert.deepEqual(captions.turns.map(({ isCut }) => isCut), [false, true])
})
