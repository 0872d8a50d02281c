// Space starts and pauses, Escape stops, unless the key belongs to what has the focus.

const OWNERS_OF_SPACE = "a, button, input, select, textarea, summary, [contenteditable]"

export function listenToKeys({ toggle, stop }) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === " " && !event.target.closest(OWNERS_OF_SPACE)) {
      event.preventDefault()
      toggle()
    }
    if (event.key === "Escape" && !event.target.closest("select, dialog")) stop()
  })
}
