// The title of a session on the server. Throws where it could not be read or stored.

import { csrfToken } from "../web/csrf.js"

const PATIENCE_MS = 10_000

export async function titleOf(sessions, id) {
  return (await ask(sessions, id, { method: "GET" })).title
}

export async function rename(sessions, id, title) {
  await ask(sessions, id, { method: "PATCH", body: JSON.stringify({ title }) })
}

async function ask(sessions, id, how) {
  const response = await fetch(`${sessions}${id}/`, {
    ...how,
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  if (!response.ok) throw new Error(`The request for a title was answered with ${response.status}.`)
  return response.json()
}
