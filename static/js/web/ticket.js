// The ticket that opens one WebSocket, and the address that it opens.

import { csrfToken } from "./csrf.js"
import { Failure } from "./failure.js"

const TIMEOUT_MS = 10_000

// Throws a Failure where a retry would not help.
export async function requestTicket(url) {
  const response = await fetch(url, {
    method: "POST",
    headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (response.status === 401 || response.redirected) throw new Failure("loggedOut")
  if (response.status === 403) throw await forbidden(response)
  if (response.status === 429) throw new Failure("rateLimited", { action: retryAdvice(response) })
  if (!response.ok) throw new Error(`The ticket request failed with status ${response.status}.`)
  return (await response.json()).ticket
}

export function socketUrl(path, ticket) {
  const address = new URL(path, location.href)
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:"
  address.searchParams.set("ticket", ticket)
  return address.href
}

// Django REST framework answers 403 both to an account that is not approved and to a logged-out browser.
async function forbidden(response) {
  const { code, detail, ...error } = await response.json().catch(() => ({}))
  const isLoggedOut = /credentials|CSRF/i.test(detail ?? "")
  return isLoggedOut ? new Failure("loggedOut") : new Failure("notApproved", { why: detail, ...error })
}

function retryAdvice(response) {
  const seconds = Number(response.headers.get("Retry-After"))
  return seconds > 0 ? `Try again in ${seconds} s.` : undefined
}
