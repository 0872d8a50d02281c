// The page of who is not approved: it becomes the app, or tells the other decision, by itself.

const POLL_EVERY_MS = 2000

const { status, poll, app } = JSON.parse(document.getElementById("standing-config").textContent)
const told = document.getElementById("told")
let timer
let isAsking = false

async function look() {
  if (isAsking) return
  isAsking = true
  clearTimeout(timer)
  const newStatus = await currentStatus()
  if (newStatus !== status) return leave(newStatus)
  isAsking = false
  timer = setTimeout(look, POLL_EVERY_MS)
}

// The same status where nothing is known: away from the network, or while the server restarts.
async function currentStatus() {
  try {
    const response = await fetch(poll, { headers: { Accept: "application/json" }, cache: "no-store" })
    if (response.redirected) return "loggedOut"
    return response.ok ? (await response.json()).status : status
  } catch {
    return status
  }
}

function leave(newStatus) {
  if (newStatus === "approved") {
    told.textContent = "Your account is approved."
    location.replace(app)
  } else {
    location.reload()
  }
}

document.addEventListener("visibilitychange", () => document.hidden || look())
look()
