// Refreshes the state of the site while the page is visible.

const POLL_INTERVAL_MS = 3000

const state = document.getElementById("state")

// Don't refresh while the user is about to press a button: it would move away under the pointer.
function isInUse() {
  return document.hidden || state.querySelector("button:hover, button:focus-visible") !== null
}

async function refresh() {
  if (isInUse()) return
  try {
    const response = await fetch(state.dataset.url, { headers: { Accept: "text/html" }, cache: "no-store" })
    if (response.ok && !response.redirected && !isInUse()) state.innerHTML = await response.text()
    state.classList.toggle("is-stale", !response.ok)
  } catch {
    state.classList.add("is-stale") // the server is unavailable
  }
}

setInterval(refresh, POLL_INTERVAL_MS)
