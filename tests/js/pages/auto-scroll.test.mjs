import assert from "node:assert/strict"
import { test } from "node:test"

import { AutoScroll } from "../../../static/js/pages/live/transcript/auto-scroll.js"

const log = { scrollHeight: 5000, clientHeight: 500 }

test("auto-scroll is on at the start", () => {
  assert.equal(new AutoScroll().isOn, true)
})

test("scrolling up turns it off", () => {
  const autoScroll = new AutoScroll()
  autoScroll.onScroll({ ...log, scrollTop: 2000 })
  assert.equal(autoScroll.isOn, false)
  autoScroll.onScroll({ ...log, scrollHeight: 5100, scrollTop: 2000 })
  assert.equal(autoScroll.isOn, false)
})

test("scrolling back down, or nearly so, turns it on", () => {
  const autoScroll = new AutoScroll()
  autoScroll.onScroll({ ...log, scrollTop: 2000 })
  autoScroll.onScroll({ ...log, scrollTop: 4470 })
  assert.equal(autoScroll.isOn, true)
})

test("resuming turns it on", () => {
  const autoScroll = new AutoScroll()
  autoScroll.onScroll({ ...log, scrollTop: 2000 })
  autoScroll.resume()
  assert.equal(autoScroll.isOn, true)
})
