// The assistant's instructions: a persona to start from, and the user's own personas to save, change and delete.

import { fillSelect, partsOf } from "../../web/dom.js"

const CUSTOM = ["", "None of these"]

export class PersonasView {
  #parts
  #personas // {id, name, instructions}; the ID of built-in ones is null
  #store
  #isConfirming = false

  // store: Personas; personas: all that there are, of which the first is the default.
  constructor({ panel, personas, store }) {
    this.#parts = partsOf(panel)
    this.#personas = personas
    this.#store = store
    const { persona, instructions, form, name, cancel, save, saveAs, remove } = this.#parts
    persona.addEventListener("change", () => this.#onChoice())
    instructions.addEventListener("input", () => this.#showActions())
    saveAs.addEventListener("click", () => this.#askForName())
    cancel.addEventListener("click", () => this.#closeForm())
    save.addEventListener("click", () => this.#save())
    remove.addEventListener("click", () => this.#remove())
    remove.addEventListener("blur", () => this.#confirm(false))
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.#create(name.value.trim())
    })
  }

  get instructions() {
    return this.#parts.instructions.value.trim()
  }

  // Shows instructions, by default those of the first persona.
  show(instructions = this.#personas[0]?.instructions ?? "") {
    this.#parts.instructions.value = instructions
    this.#fill(this.#personas.find((each) => each.instructions === instructions))
  }

  get #chosen() {
    return this.#personas.find((persona) => keyOf(persona) === this.#parts.persona.value)
  }

  #fill(chosen) {
    const options = this.#personas.map((persona) => [keyOf(persona), persona.name])
    fillSelect(this.#parts.persona, [CUSTOM, ...options], chosen ? keyOf(chosen) : "")
    this.#showActions()
  }

  #onChoice() {
    if (this.#chosen) this.#parts.instructions.value = this.#chosen.instructions
    this.#say("")
    this.#showActions()
  }

  #showActions() {
    const isOwn = Boolean(this.#chosen?.id)
    this.#parts.save.hidden = !isOwn || this.#chosen.instructions === this.instructions
    this.#parts.remove.hidden = !isOwn
    this.#confirm(false)
  }

  #askForName() {
    const { form, name, saveAs } = this.#parts
    form.hidden = false
    saveAs.hidden = true
    this.#say("")
    name.focus()
  }

  #closeForm() {
    const { form, name, saveAs } = this.#parts
    form.hidden = true
    saveAs.hidden = false
    name.value = ""
    saveAs.focus()
  }

  #create(name) {
    return this.#attempt(async () => {
      const persona = await this.#store.create(name, this.instructions)
      this.#personas.push(persona)
      this.#fill(persona)
      this.#closeForm()
      return `Saved as “${persona.name}”.`
    })
  }

  #save() {
    return this.#attempt(async () => {
      const chosen = this.#chosen
      Object.assign(chosen, await this.#store.update({ ...chosen, instructions: this.instructions }))
      this.#parts.persona.focus()
      this.#showActions()
      return `“${chosen.name}” was saved.`
    })
  }

  #remove() {
    if (!this.#isConfirming) return this.#confirm(true)
    return this.#attempt(async () => {
      const chosen = this.#chosen
      await this.#store.remove(chosen)
      this.#personas.splice(this.#personas.indexOf(chosen), 1)
      this.#parts.persona.focus()
      this.#fill()
      return `“${chosen.name}” was deleted. Its instructions are kept here until you choose others.`
    })
  }

  // The first press asks, the second one deletes.
  #confirm(isConfirming) {
    this.#isConfirming = isConfirming
    this.#parts.remove.textContent = isConfirming ? `Delete “${this.#chosen.name}” permanently` : "Delete"
  }

  async #attempt(request) {
    try {
      this.#say(await request())
    } catch (error) {
      this.#say(error.message)
    }
  }

  #say(text) {
    this.#parts.message.textContent = text
  }
}

function keyOf({ id, name }) {
  return id ? `own ${id}` : `built-in ${name}`
}
