// The ticket that opens one socket. Throws a Failure where asking again would not help.

import { csrfToken } from "./csrf.js"
import { Failure } from "./failure.js"

const PATIENCE_MS = 10_000

export async function askTicket(url) {
  const response = await fetch(url, {
    method: "POST",
    headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  if (response.status === 401 || response.redirected) throw new Failure("signedOut")
  if (response.status === 403) throw await refusal(response)
  if (response.status === 429) throw new Failure("rateLimited", { action: comeBack(response) })
  if (!response.ok) throw new Error(`The ticket request was answered with ${response.status}.`)
  return (await response.json()).ticket
}

// Django REST framework answers 403 to an account that is not approved and to one that is logged out.
async function refusal(response) {
  const { code, detail, ...told } = await response.json().catch(() => ({}))
  const isSignedOut = /credentials|CSRF/i.test(detail ?? "")
  return isSignedOut ? new Failure("signedOut") : new Failure("notApproved", { why: detail, ...told })
}

function comeBack(response) {
  const seconds = Number(response.headers.get("Retry-After"))
  return seconds > 0 ? `Try again in ${seconds} s.` : undefined
}
