// The user's own personas on the server: a name with instructions for the language model. Every call may throw an Error
// whose message can be shown.

import { csrfToken } from "../web/csrf.js"

const TIMEOUT_MS = 10_000

export class Personas {
  #url

  constructor(url) {
    this.#url = url
  }

  // Resolves with {id, name, instructions}.
  create(name, instructions) {
    return this.#request(this.#url, "POST", { name, instructions })
  }

  update({ id, name, instructions }) {
    return this.#request(`${this.#url}${id}/`, "PATCH", { name, instructions })
  }

  remove({ id }) {
    return this.#request(`${this.#url}${id}/`, "DELETE")
  }

  async #request(url, method, fields) {
    const response = await fetch(url, {
      method,
      body: fields && JSON.stringify(fields),
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch(() => null)
    if (!response) throw new Error("The server can't be reached. Try again in a moment.")
    if (!response.ok) throw new Error(await explanation(response))
    return response.status === 204 ? null : response.json()
  }
}

// The server sends problem details (RFC 9457), with lists of messages by field if a field is invalid.
// The server sends problem details (RFC 9457), or the three texts themselves if the account is not approved.
async function explanation(response) {
  const { errors, detail, what, why, action } = await response.json().catch(() => ({}))
  if (errors) return Object.values(errors).flat().join(" ")
  const text = detail || [what, why, action].filter(Boolean).join(" ")
  return text || `The server answered with status ${response.status}.`
}
