// The title of a session, which can be set at any time: before the session exists, and while the server is unavailable.
// Emits `change`; `state` is "" | "saving" | "saved" | "unsaved".

export class Title extends EventTarget {
  text = ""
  state = ""
  #rename
  #session = null
  #stored = ""

  // rename(session, text) resolves when the server has saved it.
  constructor(rename) {
    super()
    this.#rename = rename
  }

  set(text) {
    this.text = text.trim()
    return this.save()
  }

  attachTo(session) {
    if (this.#session && session !== this.#session) this.clear()
    this.#session = session
    return this.save()
  }

  // Sets the title that the server has; one that was typed meanwhile takes precedence.
  setStored(text) {
    if (this.text === this.#stored) this.text = text
    this.#stored = text
    this.#setState("")
  }

  // Saves the title if it has changed. After a failure the next call retries.
  async save() {
    if (!this.#session || this.state === "saving" || this.text === this.#stored) return
    const { text } = this
    const session = this.#session
    this.#setState("saving")
    const isStored = await this.#rename(session, text).then(() => true, () => false)
    if (session !== this.#session) return
    if (isStored) this.#stored = text
    this.#setState(isStored ? "saved" : "unsaved")
    if (isStored) await this.save() // in case it has changed meanwhile
  }

  clear() {
    this.text = this.#stored = ""
    this.#session = null
    this.#setState("")
  }

  #setState(state) {
    this.state = state
    this.dispatchEvent(new CustomEvent("change"))
  }
}
