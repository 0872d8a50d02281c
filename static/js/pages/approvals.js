// Enhances the forms of the approvals page: select all, a count of the selected accounts, and a toast that hides itself.

const TOAST_DURATION_MS = 20_000

const boxes = [...document.querySelectorAll('input[type="checkbox"][form="bulk"]')]
const bulk = document.getElementById("bulk")
const selectAll = document.getElementById("select-all")
const toast = document.getElementById("undo")

function updateCount() {
  const count = boxes.filter((box) => box.checked).length
  for (const button of bulk.querySelectorAll("button")) button.disabled = count === 0
  document.getElementById("selected-count").textContent = count ? `${count} selected` : "Select all"
  selectAll.checked = count === boxes.length
  selectAll.indeterminate = count > 0 && count < boxes.length
}

function toggleAll() {
  for (const box of boxes) box.checked = selectAll.checked
  updateCount()
}

// Stays while the pointer or the focus is on it, so that it cannot vanish under a click on Undo.
function hideToast() {
  if (toast.matches(":hover, :focus-within")) setTimeout(hideToast, TOAST_DURATION_MS)
  else toast.remove()
}

if (boxes.length) {
  document.getElementById("select-all-label").hidden = false
  selectAll.addEventListener("change", toggleAll)
  for (const box of boxes) box.addEventListener("change", updateCount)
  updateCount()
}
if (toast) setTimeout(hideToast, TOAST_DURATION_MS)
