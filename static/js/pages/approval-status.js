// The page of an account that is not approved: polls the status, then opens the app or reloads with the new decision.

const POLL_INTERVAL_MS = 2000

const { status, poll, app } = JSON.parse(document.getElementById("approval-status-config").textContent)
const message = document.getElementById("approval-message")
let timer
let isPolling = false

async function checkStatus() {
  if (isPolling) return
  isPolling = true
  clearTimeout(timer)
  const newStatus = await currentStatus()
  if (newStatus !== status) return leave(newStatus)
  isPolling = false
  timer = setTimeout(checkStatus, POLL_INTERVAL_MS)
}

// The status on the server, or the last known one while the network or the server is unavailable.
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
    message.textContent = "Your account is approved."
    location.replace(app)
  } else {
    location.reload()
  }
}

document.addEventListener("visibilitychange", () => document.hidden || checkStatus())
checkStatus()
