// Not a module: it has to run before the first paint, or a page chosen to be dark would flash up light.
{
  let theme = null
  try {
    theme = localStorage.getItem("theme")
  } catch {
    // Storage may be closed to the site; then the system's theme it is.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme
}
