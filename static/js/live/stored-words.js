// The saved words of a session, from index `first` on. Throws a Failure if the session no longer exists.

import { Failure } from "../web/failure.js"

const TIMEOUT_MS = 10_000
const PER_PAGE = 5_000

export async function storedWords(sessions, id, first) {
  const words = []
  for (let isLast = false; !isLast; ) {
    const url = `${sessions}${id}/words/?first=${first + words.length}&per_page=${PER_PAGE}`
    const response = await fetch(url, {
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (response.status === 404) throw new Failure("gone")
    if (!response.ok) throw new Error(`The words request failed with status ${response.status}.`)
    const { results, next } = await response.json()
    words.push(...results)
    isLast = next === null
  }
  return words
}
