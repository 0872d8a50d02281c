// An ID that tells this page from the others of this browser, which may upload the same file.
//
// A page that ends leaves its ID to the next one, which then continues its uploads. A duplicated tab gets its own ID:
// session storage would be copied.

import { recall, remember } from "../web/local-storage.js"

const NAME = "uploads.ended-pages"
const MAX_ENDED = 10

// Returns a function, because a page that is restored may find its ID taken.
export function pageId(page = globalThis) {
  let id = recall(NAME, []).at(-1) ?? newId()
  take(id)
  page.addEventListener("pagehide", () => remember(NAME, [...recall(NAME, []), id].slice(-MAX_ENDED)))
  page.addEventListener("pageshow", ({ persisted }) => {
    if (persisted && !take(id)) id = newId()
  })
  return () => id
}

function take(id) {
  const ended = recall(NAME, [])
  remember(NAME, ended.filter((other) => other !== id))
  return ended.includes(id)
}

// Browsers have `randomUUID` on HTTPS pages only.
function newId() {
  return crypto.getRandomValues(new Uint32Array(4)).join("-")
}
