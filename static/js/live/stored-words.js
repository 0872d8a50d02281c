// The saved words of a session, from index `first`. Throws a Failure if the session no longer exists.

import { Failure } from "../web/failure.js"

const TIMEOUT_MS = 10_000

export async function storedWords(sessions, id, first) {
  const response = await fetch(`${sessions}${id}/words/${first}/`, {
    headers: { Accept: "application/json" },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (response.status === 404) throw new Failure("gone")
  if (!response.ok) throw new Error(`The words request failed with status ${response.status}.`)
  return (await response.json()).words
}
