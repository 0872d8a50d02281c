// The upload API of the server. Each request returns the status of an upload: docs/uploads.md.

const TIMEOUT_MS = 60_000

// The server rejected a request, and a retry would not help.
export class UploadRejected extends Error {
  constructor({ what, why, action }) {
    super(what)
    this.problem = { what, why, action }
  }
}

export class UploadServer {
  #url
  #fetch
  #token

  constructor({ url, token, fetch = globalThis.fetch.bind(globalThis) }) {
    this.#url = url
    this.#token = token
    this.#fetch = fetch
  }

  async all() {
    return (await this.#request("GET", this.#url)).uploads
  }

  create(options) {
    return this.#request("POST", this.#url, JSON.stringify(options), "application/json")
  }

  // Whether the part was accepted or another one is expected, `received` of the status says which bytes to send next.
  sendPart(id, offset, part, signal) {
    return this.#request("PUT", `${this.#url}${id}/?offset=${offset}`, part, "application/octet-stream", signal)
  }

  status(id) {
    return this.#request("GET", `${this.#url}${id}/`)
  }

  acceptTruncated(id) {
    return this.#request("POST", `${this.#url}${id}/`)
  }

  remove(id) {
    return this.#request("DELETE", `${this.#url}${id}/`)
  }

  async #request(method, url, body, type, signal) {
    const headers = { Accept: "application/json", "X-CSRFToken": this.#token }
    if (type) headers["Content-Type"] = type
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout
    const response = await this.#fetch(url, { method, body, headers, signal: either })
    if (response.status === 204) return null
    if (response.ok || response.status === 409) return response.json()
    if (response.status >= 500 || response.status === 429) throw new Error(`The server returned ${response.status}.`)
    throw new UploadRejected(await problemOf(response))
  }
}

async function problemOf(response) {
  const problem = await response.json().catch(() => ({}))
  if (problem.what) return problem
  if (response.status === 404) return { what: "This upload no longer exists.", why: "It was canceled.", action: "" }
  if (response.status === 401 || response.status === 403) {
    const action = "Log in and choose the file again; the upload resumes."
    return { what: "You've been logged out.", why: "Your login expired.", action }
  }
  return { what: "The server couldn't process the request.", why: problem.detail ?? "", action: "Reload the page." }
}
