// The switch between light, dark, and whatever the system says.

const root = document.documentElement
const choices = document.getElementById("theme")

function choose(theme) {
  if (theme) root.dataset.theme = theme
  else delete root.dataset.theme
  try {
    theme ? localStorage.setItem("theme", theme) : localStorage.removeItem("theme")
  } catch {
    // Storage may be closed to the site; the choice then holds for this page.
  }
  colourBrowser()
}

// A phone's browser paints its own bars like the page. Its two colours differ only while the system decides.
function colourBrowser() {
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
    meta.dataset.own ??= meta.content
    meta.content = root.dataset.theme ? getComputedStyle(root).backgroundColor : meta.dataset.own
  }
}

if (choices) {
  choices.closest("details").hidden = choices.hidden = false
  choices.querySelector(`[value="${root.dataset.theme ?? ""}"]`).checked = true
  choices.addEventListener("change", ({ target }) => choose(target.value))
}
colourBrowser()
