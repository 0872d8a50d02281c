// The list of sessions: tick all of the page, and what ticking one means for the download.

const boxes = [...document.querySelectorAll('input[name="session"][form="download-many"]')]
const form = document.getElementById("download-many")
const tickAll = document.getElementById("tick-all")

function countTicked() {
  const count = boxes.filter((box) => box.checked).length
  document.getElementById("ticked").textContent = count ? `${count} ticked` : "Tick all"
  tickAll.checked = count === boxes.length
  tickAll.indeterminate = count > 0 && count < boxes.length
  // Whoever ticks means the ticked ones; whoever ticks none can only mean all.
  const [theTicked, allOfThem] = form.elements.which
  theTicked.disabled = count === 0
  theTicked.checked = count > 0
  allOfThem.checked = count === 0
}

function setAll() {
  for (const box of boxes) box.checked = tickAll.checked
  countTicked()
}

if (boxes.length) {
  tickAll.closest("label").hidden = false
  tickAll.addEventListener("change", setAll)
  for (const box of boxes) box.addEventListener("change", countTicked)
  countTicked()
}
