// The REST API for uploads: docs/uploads.md. Requests return the status of an upload.

import { csrfToken } from "../web/csrf.js"
import { problemOf } from "./problem.js"

const TIMEOUT_MS = 60_000
const PER_PAGE = 200

// The server rejected a request, and a retry would not help.
export class UploadRejected extends Error {
  constructor(problem, status = 0) {
    super(problem.what)
    this.problem = problem
    this.status = status
  }
}

export class UploadServer {
  #url
  #fetch
  #token

  constructor({ url, token = csrfToken, fetch = globalThis.fetch.bind(globalThis) }) {
    this.#url = url
    this.#token = token
    this.#fetch = fetch
  }

  // All uploads of the account, newest first.
  async all() {
    const uploads = []
    for (let page = 1, isLast = false; !isLast; page += 1) {
      const { results, next } = await this.#request("GET", `${this.#url}?per_page=${PER_PAGE}&page=${page}`)
      uploads.push(...results)
      isLast = next === null
    }
    return uploads
  }

  create(options) {
    return this.#request("POST", this.#url, JSON.stringify(options), "application/json")
  }

  // Whether the part was accepted or another one is expected, `received` of the status says which bytes to send next.
  // sha256: of the whole file, with its last part; otherwise null.
  async sendPart(id, offset, part, sha256, signal) {
    const url = `${this.#url}${id}/content/?offset=${offset}${sha256 ? `&sha256=${sha256}` : ""}`
    try {
      return await this.#request("PUT", url, part, "application/octet-stream", signal)
    } catch (error) {
      if (error.status !== 409) throw error
      return this.status(id)
    }
  }

  status(id) {
    return this.#request("GET", `${this.#url}${id}/`)
  }

  acceptTruncated(id) {
    return this.#request("POST", `${this.#url}${id}/accept/`)
  }

  remove(id) {
    return this.#request("DELETE", `${this.#url}${id}/`)
  }

  async #request(method, url, body, type, signal) {
    const headers = { Accept: "application/json", "X-CSRFToken": this.#token() }
    if (type) headers["Content-Type"] = type
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout
    const response = await this.#fetch(url, { method, body, headers, signal: either })
    if (response.status === 204) return null
    if (response.ok) return response.json()
    if (response.status >= 500 || response.status === 429) throw new Error(`The server returned ${response.status}.`)
    throw new UploadRejected(await problemOf(response), response.status)
  }
}
