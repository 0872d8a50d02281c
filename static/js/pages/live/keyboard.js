// Keys that work anywhere on the page, unless they belong to what has the focus.

import { recall, remember } from "./memory.js"

const REMEMBERED = "live-keys"
const OWNERS_OF_SPACE = "a, button, input, select, textarea, summary, [contenteditable]"
const OWNERS_OF_LETTERS = "input, select, textarea, [contenteditable]"
const OWNERS_OF_ESCAPE = "input, select, textarea, dialog"

// Space starts and pauses, Escape stops, C shows captions, ? tells the keys. `letters` is the box that turns those off
// which people who speak to their computer press by accident (WCAG 2.1.4).
export function listenToKeys({ toggle, stop, captions, help, letters }) {
  const keys = {
    " ": { does: toggle, unless: OWNERS_OF_SPACE },
    "Escape": { does: stop, unless: OWNERS_OF_ESCAPE },
    "c": { does: captions, unless: OWNERS_OF_LETTERS, isLetter: true },
    "?": { does: help, unless: OWNERS_OF_LETTERS, isLetter: true },
  }
  letters.checked = recall(REMEMBERED) ?? true
  letters.addEventListener("change", () => remember(REMEMBERED, letters.checked))
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return
    const key = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (!key || event.target.closest(key.unless) || (key.isLetter && !letters.checked)) return
    if (event.key !== "Escape") event.preventDefault()
    key.does()
  })
}
