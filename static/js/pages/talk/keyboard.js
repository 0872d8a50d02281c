// Keyboard shortcuts that work anywhere on the page, unless the focused element uses the key itself.

const USES_SPACE = "a, button, input, select, textarea, summary, dialog, [contenteditable]"
const USES_ESCAPE = "select, dialog"

// Space starts, mutes and unmutes: `toggle`. With push-to-talk it is held while the user speaks: `hold` and `release`;
// the large button, if it has the focus, is held like that too. Escape interrupts.
export function addShortcuts({ button, usesHold, toggle, hold, release, interrupt }) {
  let isHeld = false
  const isFree = (event) => !event.ctrlKey && !event.metaKey && !event.altKey
  const canUseSpace = ({ target }) => target === button ? usesHold() : !target.closest(USES_SPACE)

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || !isFree(event)) return
    if (event.key === "Escape" && !event.target.closest(USES_ESCAPE)) return interrupt()
    if (event.key !== " " || !canUseSpace(event)) return
    event.preventDefault()
    if (event.repeat) return
    if (!usesHold()) return toggle()
    isHeld = true
    hold()
  })
  const end = () => {
    if (isHeld) release()
    isHeld = false
  }
  document.addEventListener("keyup", (event) => {
    if (event.key !== " " || !isHeld) return
    event.preventDefault() // the button would be clicked
    end()
  })
  addEventListener("blur", end) // the key is released elsewhere
}
