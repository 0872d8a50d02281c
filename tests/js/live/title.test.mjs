import assert from "node:assert/strict"
import { test } from "node:test"

import { Title } from "../../../static/js/live/title.js"

test("a title given before there is a session is stored as soon as there is one", async () => {
  const { title, stored } = titled()
  await title.set(" Minutes ")
  assert.deepEqual(stored, [])
  await title.belongTo("s1")
  assert.deepEqual(stored, [["s1", "Minutes"]])
  assert.equal(title.state, "saved")
})

test("what was typed while an earlier one was on its way follows it", async () => {
  const { title, stored } = titled()
  await title.belongTo("s1")
  await Promise.all([title.set("Min"), title.set("Minutes")])
  assert.deepEqual(stored.at(-1), ["s1", "Minutes"])
  assert.equal(stored.length, 2)
})

test("one that the server did not take is tried again", async () => {
  const { title, stored, server } = titled()
  server.isAway = true
  await title.belongTo("s1")
  await title.set("Minutes")
  assert.equal(title.state, "unsaved")
  server.isAway = false
  await title.save()
  assert.deepEqual(stored, [["s1", "Minutes"]])
})

test("what the server has is shown unless another one was typed", async () => {
  const { title, stored } = titled()
  title.found("Yesterday")
  assert.equal(title.text, "Yesterday")
  await title.set("Today")
  title.found("Yesterday")
  assert.equal(title.text, "Today")
  await title.belongTo("s1")
  assert.deepEqual(stored, [["s1", "Today"]])
})

test("a title that was not stored is none of another session", async () => {
  const { title, stored, server } = titled()
  await title.belongTo("s1")
  server.isAway = true
  await title.set("Minutes")
  server.isAway = false
  await title.belongTo("s2")
  assert.deepEqual(stored, [])
  assert.equal(title.text, "")
})

test("the next session begins without a title, and gets none that was on its way", async () => {
  const { title, stored } = titled()
  await title.belongTo("s1")
  const saving = title.set("Minutes")
  title.clear()
  await saving
  await title.belongTo("s2")
  assert.deepEqual(stored, [["s1", "Minutes"]])
  assert.equal(title.text, "")
})

function titled() {
  const stored = []
  const server = { isAway: false }
  const rename = async (session, text) => {
    if (server.isAway) throw new Error("away")
    stored.push([session, text])
  }
  return { title: new Title(rename), stored, server }
}
