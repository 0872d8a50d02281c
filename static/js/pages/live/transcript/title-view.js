// The field above the transcript in which the user edits the session's title during a session.

const TYPING_PAUSE_MS = 800
const STATUS_TEXTS = { "": "", saving: "", saved: "Saved", unsaved: "Not saved yet" }

export class TitleView {
  #field
  #status
  #title
  #timer = null

  constructor({ field, status, title }) {
    this.#field = field
    this.#status = status
    this.#title = title
    field.addEventListener("input", () => this.#scheduleSave())
    field.addEventListener("change", () => this.#save())
    field.addEventListener("keydown", ({ key }) => (key === "Enter" || key === "Escape") && field.blur())
    title.addEventListener("change", () => this.#show())
  }

  #scheduleSave() {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#save(), TYPING_PAUSE_MS)
  }

  #save() {
    clearTimeout(this.#timer)
    this.#title.set(this.#field.value)
  }

  #show() {
    if (document.activeElement !== this.#field) this.#field.value = this.#title.text
    this.#status.textContent = STATUS_TEXTS[this.#title.state]
  }
}
