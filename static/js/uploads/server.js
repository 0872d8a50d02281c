// What the server is asked about uploads. Every answer is what it tells of one: docs/uploads.md.

const PATIENCE_MS = 60_000

// What was asked for was refused, and asking again would not help.
export class Refused extends Error {
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
    return (await this.#ask("GET", this.#url)).uploads
  }

  announce(wishes) {
    return this.#ask("POST", this.#url, JSON.stringify(wishes), "application/json")
  }

  // Both when the piece was taken and when another one is missing, what is told says what should follow.
  send(id, offset, piece, signal) {
    return this.#ask("PUT", `${this.#url}${id}/?offset=${offset}`, piece, "application/octet-stream", signal)
  }

  look(id) {
    return this.#ask("GET", `${this.#url}${id}/`)
  }

  takeWhatIsThere(id) {
    return this.#ask("POST", `${this.#url}${id}/`)
  }

  forget(id) {
    return this.#ask("DELETE", `${this.#url}${id}/`)
  }

  async #ask(method, url, body, type, signal) {
    const headers = { Accept: "application/json", "X-CSRFToken": this.#token }
    if (type) headers["Content-Type"] = type
    const patience = AbortSignal.timeout(PATIENCE_MS)
    const both = signal ? AbortSignal.any([signal, patience]) : patience
    const response = await this.#fetch(url, { method, body, headers, signal: both })
    if (response.status === 204) return null
    if (response.ok || response.status === 409) return response.json()
    if (response.status >= 500 || response.status === 429) throw new Error(`The server answered ${response.status}.`)
    throw new Refused(await problemOf(response))
  }
}

async function problemOf(response) {
  const told = await response.json().catch(() => ({}))
  if (told.what) return told
  if (response.status === 404) return { what: "This upload is no longer there.", why: "It was cancelled.", action: "" }
  if (response.status === 401 || response.status === 403)
    return { what: "You are logged out.", why: "Your log-in ended.", action: "Log in, and choose the file again: it goes on where it was." }
  return { what: "The server did not understand this page.", why: told.detail ?? "", action: "Reload the page." }
}
