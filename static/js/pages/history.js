// What the list of sessions has beyond its plain forms: tools for the ticked ones, and a toast that goes by itself.

const TOAST_STAYS_MS = 20_000

const boxes = [...document.querySelectorAll('input[name="session"]')]
const bulk = document.getElementById("bulk")
const toast = document.getElementById("undo")

function showTools() {
  bulk.hidden = !boxes.some((box) => box.checked)
}

// Whoever is about to undo, by pointer or by keyboard, is not raced against.
function hideToast() {
  if (toast.matches(":hover, :focus-within")) setTimeout(hideToast, TOAST_STAYS_MS)
  else toast.remove()
}

if (bulk) {
  document.addEventListener("change", showTools)
  // Enter in the field means the tag, not the first button of the form that it belongs to.
  document.getElementById("bulk-tag").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return
    event.preventDefault()
    bulk.querySelector('[value="tag"]').click()
  })
  showTools()
}
if (toast) setTimeout(hideToast, TOAST_STAYS_MS)
