// Pages of one browser have different IDs, and a page continues as the one that ended before.

import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import { pageId } from "../../../static/js/uploads/page-id.js"

class Page extends EventTarget {
  id = pageId(this)

  end() {
    this.dispatchEvent(new Event("pagehide"))
  }

  restore() {
    this.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }))
  }
}

beforeEach(() => {
  const stored = new Map()
  globalThis.localStorage = { getItem: (name) => stored.get(name) ?? null, setItem: (name, value) => stored.set(name, value) }
})

test("two open pages have different IDs", () => {
  assert.notEqual(new Page().id(), new Page().id())
})

test("a reloaded page keeps its ID, and another page doesn't get it", () => {
  const first = new Page()
  first.end()
  const reloaded = new Page()
  assert.equal(reloaded.id(), first.id())
  assert.notEqual(new Page().id(), first.id())
})

test("a page that the browser restores keeps its ID, unless it was taken", () => {
  const page = new Page()
  const id = page.id()
  page.end()
  page.restore()
  assert.equal(page.id(), id)
  page.end()
  const next = new Page()
  page.restore()
  assert.equal(next.id(), id)
  assert.notEqual(page.id(), id)
})

test("a browser that stores nothing still tells its pages apart", () => {
  globalThis.localStorage = undefined
  const page = new Page()
  page.end()
  assert.notEqual(new Page().id(), page.id())
})
