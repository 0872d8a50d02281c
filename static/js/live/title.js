// The title of a session, which may be given at any moment: before there is a session, and while the server is away.
// Tells `change`; `state` is "" | "saving" | "saved" | "unsaved".

export class Title extends EventTarget {
  text = ""
  state = ""
  #rename
  #session = null
  #stored = ""

  // rename(session, text) resolves when the server has it.
  constructor(rename) {
    super()
    this.#rename = rename
  }

  set(text) {
    this.text = text.trim()
    return this.save()
  }

  belongTo(session) {
    if (this.#session && session !== this.#session) this.clear()
    this.#session = session
    return this.save()
  }

  // What the server has; shown unless another one was typed meanwhile.
  found(text) {
    if (this.text === this.#stored) this.text = text
    this.#stored = text
    this.#become("")
  }

  // Does nothing where there is nothing to do; what fails is tried again by the next call.
  async save() {
    if (!this.#session || this.state === "saving" || this.text === this.#stored) return
    const { text } = this
    const session = this.#session
    this.#become("saving")
    const isStored = await this.#rename(session, text).then(() => true, () => false)
    if (session !== this.#session) return
    if (isStored) this.#stored = text
    this.#become(isStored ? "saved" : "unsaved")
    if (isStored) await this.save() // it may have changed meanwhile
  }

  clear() {
    this.text = this.#stored = ""
    this.#session = null
    this.#become("")
  }

  #become(state) {
    this.state = state
    this.dispatchEvent(new CustomEvent("change"))
  }
}
