// The field above the words, in which the session gets its title while it runs.

const TYPED_MS = 800
const TOLD = { "": "", saving: "", saved: "Saved", unsaved: "Not saved yet" }

export class TitleView {
  #field
  #told
  #title
  #timer = null

  constructor({ field, told, title }) {
    this.#field = field
    this.#told = told
    this.#title = title
    field.addEventListener("input", () => this.#soon())
    field.addEventListener("change", () => this.#now())
    field.addEventListener("keydown", ({ key }) => (key === "Enter" || key === "Escape") && field.blur())
    title.addEventListener("change", () => this.#show())
  }

  #soon() {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#now(), TYPED_MS)
  }

  #now() {
    clearTimeout(this.#timer)
    this.#title.set(this.#field.value)
  }

  #show() {
    if (document.activeElement !== this.#field) this.#field.value = this.#title.text
    this.#told.textContent = TOLD[this.#title.state]
  }
}
