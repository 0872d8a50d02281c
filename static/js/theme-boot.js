// Not a module: it must run before the first paint, otherwise a dark page would flash light.
{
  let theme = null
  try {
    theme = localStorage.getItem("theme")
  } catch {
    // Storage may be unavailable; then the system theme applies.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme
}
