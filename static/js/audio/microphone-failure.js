// Converts a browser's getUserMedia or getDisplayMedia error into a Failure.

import { Failure } from "../web/failure.js"

const KINDS = {
  NotAllowedError: "permission",
  SecurityError: "permission",
  NotFoundError: "noMicrophone",
  OverconstrainedError: "noMicrophone",
  NotReadableError: "busyMicrophone",
  AbortError: "busyMicrophone",
  NotSupportedError: "unsupported",
}

export function microphoneFailure(error, isShared = false) {
  if (error instanceof Failure) return error
  if (!globalThis.isSecureContext) return new Failure("insecure")
  if (isShared) return new Failure("sharingDenied")
  const kind = KINDS[error.name]
  return kind ? new Failure(kind) : new Failure("busyMicrophone", { why: error.message })
}
