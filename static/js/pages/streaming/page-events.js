// Events of the page that its session handles: it is left, hidden or shown again, or the network changes.

export function handlePageEvents(session) {
  for (const name of ["online", "offline", "pageshow"]) addEventListener(name, () => probeConnection(session))
  addEventListener("beforeunload", (event) => wouldLoseAudio(session) && event.preventDefault())
  addEventListener("pagehide", () => session.flush())
  document.addEventListener("visibilitychange", () => (document.hidden ? session.flush() : probeConnection(session)))
}

// The network changed or the page was suspended: the connection may be dead without a close event.
function probeConnection({ client }) {
  client?.retryNow()
  client?.probe()
}

function wouldLoseAudio({ isActive, phase, unsent_s }) {
  return isActive || (phase === "failed" && unsent_s >= 1)
}
