// The state of the site, looked at again and again while somebody looks at it.

const LOOKS_EVERY_MS = 3000

const state = document.getElementById("state")

// Not while somebody is about to press a button in it: it would move away under the pointer.
function isInUse() {
  return document.hidden || state.querySelector("button:hover, button:focus-visible") !== null
}

async function look() {
  if (isInUse()) return
  try {
    const response = await fetch(state.dataset.url, { headers: { Accept: "text/html" }, cache: "no-store" })
    if (response.ok && !response.redirected && !isInUse()) state.innerHTML = await response.text()
    state.classList.toggle("is-stale", !response.ok)
  } catch {
    state.classList.add("is-stale") // the server is away
  }
}

setInterval(look, LOOKS_EVERY_MS)
