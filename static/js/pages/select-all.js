// List of sessions: select all of the page, and apply the selection to downloads.

const boxes = [...document.querySelectorAll('input[name="session"][form="download-many"]')]
const form = document.getElementById("download-many")
const selectAll = document.getElementById("select-all")

function updateCount() {
  const count = boxes.filter((box) => box.checked).length
  document.getElementById("selected-count").textContent = count ? `${count} selected` : "Select all"
  selectAll.checked = count === boxes.length
  selectAll.indeterminate = count > 0 && count < boxes.length
  // Download the selected sessions, or all of them if none is selected.
  const [selected, all] = form.elements.which
  selected.disabled = count === 0
  selected.checked = count > 0
  all.checked = count === 0
}

function toggleAll() {
  for (const box of boxes) box.checked = selectAll.checked
  updateCount()
}

if (boxes.length) {
  selectAll.closest("label").hidden = false
  selectAll.addEventListener("change", toggleAll)
  for (const box of boxes) box.addEventListener("change", updateCount)
  updateCount()
}
