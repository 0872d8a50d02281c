// Problems of uploads as users read them: what happened, why, and what to do.

const LOGGED_OUT = {
  what: "You've been logged out.",
  why: "Your login expired.",
  action: "Log in and choose the file again; the upload resumes.",
}
const GONE = { what: "This upload no longer exists.", why: "It was canceled.", action: "" }
const UNKNOWN = { what: "The server couldn't process the request.", why: "", action: "Reload the page." }

// The problem of a response with an error status. The server sends problem details (RFC 9457), whose `detail` has both
// the reason and what to do, or the three texts themselves if the account is not approved.
export async function problemOf(response) {
  const { what, why, action, title, detail, errors, code } = await response.json().catch(() => ({}))
  if (what) return { what, why, action }
  if (response.status === 401 || code === "permission_denied") return LOGGED_OUT // the latter if the CSRF token is old
  if (response.status === 404) return GONE
  if (errors) return { what: title, why: Object.values(errors).flat().join(" "), action: "" }
  return title ? { what: title, why: detail, action: "" } : UNKNOWN
}

// null if the server accepts files of this size. Sizes are in bytes.
export function sizeProblem(size, maxSize) {
  if (size <= maxSize) return null
  return {
    what: "The file is too large.",
    why: `The file is ${Math.ceil(size / 1e6)} MB; the limit is ${maxSize / 1e6} MB.`,
    action: "Upload only the audio, compress it, or split it into parts.",
  }
}

export function textOf({ what, why, action }) {
  return [what, why, action].filter(Boolean).join(" ")
}
