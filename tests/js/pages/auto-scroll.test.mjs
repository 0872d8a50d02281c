import assert from "node:assert/strict"
import { test } from "node:test"

import { Following } from "../../../static/js/pages/live/auto-scroll.js"

const log = { scrollHeight: 5000, clientHeight: 500 }

test("the newest line is followed from the beginning", () => {
  assert.equal(new Following().isOn, true)
})

test("whoever scrolls up is left alone", () => {
  const following = new Following()
  following.scrolled({ ...log, scrollTop: 2000 })
  assert.equal(following.isOn, false)
  following.scrolled({ ...log, scrollHeight: 5100, scrollTop: 2000 })
  assert.equal(following.isOn, false)
})

test("whoever scrolls back down, or nearly so, is led on", () => {
  const following = new Following()
  following.scrolled({ ...log, scrollTop: 2000 })
  following.scrolled({ ...log, scrollTop: 4470 })
  assert.equal(following.isOn, true)
})

test("or asks for it", () => {
  const following = new Following()
  following.scrolled({ ...log, scrollTop: 2000 })
  following.goOn()
  assert.equal(following.isOn, true)
})
