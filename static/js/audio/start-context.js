import { withDeadline } from "./deadline.js"
import { Failure } from "../web/failure.js"

const TIMEOUT_MS = 8000

// Starts an AudioContext; call it within a click handler. Browsers wait forever if they allow no audio yet, or if the
// system's audio doesn't respond. Throws a Failure.
export async function startContext(context) {
  const failure = new Failure("audioStuck")
  try {
    await withDeadline(context.resume(), TIMEOUT_MS, failure)
  } catch {
    throw failure
  }
}
