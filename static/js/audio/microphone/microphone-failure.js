// Converts an error of the browser's while it opens the microphone, or what is shared in its place, into a Failure.

import { Failure } from "../../web/failure.js"

const OF_MICROPHONE = {
  NotAllowedError: "permission",
  SecurityError: "permission",
  NotFoundError: "noMicrophone",
  OverconstrainedError: "noMicrophone",
  NotReadableError: "busyMicrophone",
  AbortError: "busyMicrophone",
}
const OF_SHARING = {
  NotSupportedError: "sharingUnsupported",
  TypeError: "sharingUnsupported", // of some options
}
const BY_SYSTEM = {
  why: "Your operating system doesn't let this browser use it.",
  action: "Allow the browser to use the microphone in the system's privacy settings, then try again.",
}
const DISMISSED = { why: "The browser's question was closed without an answer.", action: "Try again and allow access." }

// Why this browser can't record at all, or null if it can.
export function missingSupport() {
  if (!globalThis.isSecureContext) return new Failure("insecure")
  if (!navigator.mediaDevices) return new Failure("noCapture")
  return globalThis.AudioWorkletNode ? null : new Failure("unsupported")
}

export function microphoneFailure(error, isShared = false) {
  if (error instanceof Failure) return error
  if (isShared) return new Failure(OF_SHARING[error.name] ?? "sharingDenied")
  const kind = OF_MICROPHONE[error.name]
  if (!kind) return audioFailure(error)
  return new Failure(kind, kind === "permission" ? refusal(error.message) : {})
}

// Of the browser's audio system, not of a device.
export function audioFailure(error) {
  return error instanceof Failure ? error : new Failure("audioFailed", { why: error.message })
}

// Chrome's messages; other browsers don't say who refused.
function refusal(message) {
  if (/by system/i.test(message)) return BY_SYSTEM
  return /dismissed/i.test(message) ? DISMISSED : {}
}
