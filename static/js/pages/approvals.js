// What the approvals page has beyond its plain forms: tick all, how many are ticked, and a toast that goes by itself.

const TOAST_STAYS_MS = 20_000

const boxes = [...document.querySelectorAll('input[type="checkbox"][form="bulk"]')]
const bulk = document.getElementById("bulk")
const tickAll = document.getElementById("tick-all")
const toast = document.getElementById("undo")

function countTicked() {
  const count = boxes.filter((box) => box.checked).length
  for (const button of bulk.querySelectorAll("button")) button.disabled = count === 0
  document.getElementById("ticked").textContent = count ? `${count} ticked` : "Tick all"
  tickAll.checked = count === boxes.length
  tickAll.indeterminate = count > 0 && count < boxes.length
}

function setAll() {
  for (const box of boxes) box.checked = tickAll.checked
  countTicked()
}

// Whoever is about to undo, by pointer or by keyboard, is not raced against.
function hideToast() {
  if (toast.matches(":hover, :focus-within")) setTimeout(hideToast, TOAST_STAYS_MS)
  else toast.remove()
}

if (boxes.length) {
  document.getElementById("tick-all-label").hidden = false
  tickAll.addEventListener("change", setAll)
  for (const box of boxes) box.addEventListener("change", countTicked)
  countTicked()
}
if (toast) setTimeout(hideToast, TOAST_STAYS_MS)
