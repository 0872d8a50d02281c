// List of sessions: tools for the selected ones, and a toast that closes automatically.

const TOAST_MS = 20_000

const boxes = [...document.querySelectorAll('input[name="session"]')]
const bulk = document.getElementById("bulk")
const toast = document.getElementById("undo")

function showTools() {
  bulk.hidden = !boxes.some((box) => box.checked)
}

// Keep the toast while it has the pointer or the focus: the user may be about to undo.
function hideToast() {
  if (toast.matches(":hover, :focus-within")) setTimeout(hideToast, TOAST_MS)
  else toast.remove()
}

if (bulk) {
  document.addEventListener("change", showTools)
  // Enter in the field adds the tag instead of pressing the form's first button.
  document.getElementById("bulk-tag").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return
    event.preventDefault()
    bulk.querySelector('[value="tag"]').click()
  })
  showTools()
}
if (toast) setTimeout(hideToast, TOAST_MS)
