// Keyboard shortcuts that work anywhere on the page, unless the focused element uses the key itself.

import { recall, remember } from "../../web/local-storage.js"

const STORAGE_KEY = "live-keys"
const USES_SPACE = "a, button, input, select, textarea, summary, [contenteditable]"
const USES_LETTERS = "input, select, textarea, [contenteditable]"
const USES_ESCAPE = "input, select, textarea, dialog"

// Space starts and pauses, Escape stops, C shows captions, ? shows help. `letters` is the checkbox that turns off the
// single-character shortcuts, which users of speech input trigger by accident (WCAG 2.1.4).
export function addShortcuts({ toggle, stop, captions, help, letters }) {
  const keys = {
    " ": { run: toggle, unless: USES_SPACE },
    "Escape": { run: stop, unless: USES_ESCAPE },
    "c": { run: captions, unless: USES_LETTERS, isLetter: true },
    "?": { run: help, unless: USES_LETTERS, isLetter: true },
  }
  letters.checked = recall(STORAGE_KEY, true)
  letters.addEventListener("change", () => remember(STORAGE_KEY, letters.checked))
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return
    const key = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (!key || event.target.closest(key.unless) || (key.isLetter && !letters.checked)) return
    if (event.key !== "Escape") event.preventDefault()
    key.run()
  })
}
