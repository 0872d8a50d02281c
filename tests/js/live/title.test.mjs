import assert from "node:assert/strict"
import { test } from "node:test"

import { Title } from "../../../static/js/live/title.js"

test("a title set before the session exists is saved once it does", async () => {
  const { title, stored } = createTitle()
  await title.set(" Minutes ")
  assert.deepEqual(stored, [])
  await title.attachTo("s1")
  assert.deepEqual(stored, [["s1", "Minutes"]])
  assert.equal(title.state, "saved")
})

test("a title changed during a save is saved next", async () => {
  const { title, stored } = createTitle()
  await title.attachTo("s1")
  await Promise.all([title.set("Min"), title.set("Minutes")])
  assert.deepEqual(stored.at(-1), ["s1", "Minutes"])
  assert.equal(stored.length, 2)
})

test("a failed save is retried", async () => {
  const { title, stored, server } = createTitle()
  server.isDown = true
  await title.attachTo("s1")
  await title.set("Minutes")
  assert.equal(title.state, "unsaved")
  server.isDown = false
  await title.save()
  assert.deepEqual(stored, [["s1", "Minutes"]])
})

test("the server's title applies unless another one was typed", async () => {
  const { title, stored } = createTitle()
  title.setStored("Yesterday")
  assert.equal(title.text, "Yesterday")
  await title.set("Today")
  title.setStored("Yesterday")
  assert.equal(title.text, "Today")
  await title.attachTo("s1")
  assert.deepEqual(stored, [["s1", "Today"]])
})

test("an unsaved title does not carry over to another session", async () => {
  const { title, stored, server } = createTitle()
  await title.attachTo("s1")
  server.isDown = true
  await title.set("Minutes")
  server.isDown = false
  await title.attachTo("s2")
  assert.deepEqual(stored, [])
  assert.equal(title.text, "")
})

test("the next session starts without a title, even during a save", async () => {
  const { title, stored } = createTitle()
  await title.attachTo("s1")
  const saving = title.set("Minutes")
  title.clear()
  await saving
  await title.attachTo("s2")
  assert.deepEqual(stored, [["s1", "Minutes"]])
  assert.equal(title.text, "")
})

function createTitle() {
  const stored = []
  const server = { isDown: false }
  const rename = async (session, text) => {
    if (server.isDown) throw new Error("unavailable")
    stored.push([session, text])
  }
  return { title: new Title(rename), stored, server }
}
