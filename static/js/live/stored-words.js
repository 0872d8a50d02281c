// The words of a session that the server has stored, from number `first` on. Throws a Failure if there is no such
// session any more.

import { Failure } from "../web/failure.js"

const PATIENCE_MS = 10_000

export async function storedWords(sessions, id, first) {
  const response = await fetch(`${sessions}${id}/words/${first}/`, {
    headers: { Accept: "application/json" },
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  if (response.status === 404) throw new Failure("gone")
  if (!response.ok) throw new Error(`The request for words was answered with ${response.status}.`)
  return (await response.json()).words
}
