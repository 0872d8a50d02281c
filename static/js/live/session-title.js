// Reads and saves the title of a session on the server. Throws if the request fails.

import { csrfToken } from "../web/csrf.js"

const TIMEOUT_MS = 10_000

export async function titleOf(sessions, id) {
  return (await request(sessions, id, { method: "GET" })).title
}

export async function rename(sessions, id, title) {
  await request(sessions, id, { method: "PATCH", body: JSON.stringify({ title }) })
}

async function request(sessions, id, options) {
  const response = await fetch(`${sessions}${id}/`, {
    ...options,
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (!response.ok) throw new Error(`The title request failed with status ${response.status}.`)
  return response.json()
}
