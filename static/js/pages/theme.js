// The switch between the light, the dark and the system theme.

const root = document.documentElement
const choices = document.getElementById("theme")

function choose(theme) {
  if (theme) root.dataset.theme = theme
  else delete root.dataset.theme
  try {
    theme ? localStorage.setItem("theme", theme) : localStorage.removeItem("theme")
  } catch {
    // Storage may be unavailable; the choice then applies to this page only.
  }
  setBrowserColor()
}

// Mobile browsers color their toolbars like the page. The two meta colors differ only while the system theme applies.
function setBrowserColor() {
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
    meta.dataset.original ??= meta.content
    meta.content = root.dataset.theme ? getComputedStyle(root).backgroundColor : meta.dataset.original
  }
}

if (choices) {
  choices.closest("details").hidden = choices.hidden = false
  choices.querySelector(`[value="${root.dataset.theme ?? ""}"]`).checked = true
  choices.addEventListener("change", ({ target }) => choose(target.value))
}
setBrowserColor()
