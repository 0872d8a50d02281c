// What a browser's refusal to give the microphone means, and the way out of it.

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

export function microphoneFailure(error, wasToShare = false) {
  if (error instanceof Failure) return error
  if (!globalThis.isSecureContext) return new Failure("insecure")
  if (wasToShare) return new Failure("unshared")
  const kind = KINDS[error.name]
  return kind ? new Failure(kind) : new Failure("busyMicrophone", { why: error.message })
}
