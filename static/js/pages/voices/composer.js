// The text to speak, with its length, examples, Speak, Stop and a link to the text.

import { clock } from "../../web/clock.js"
import { make } from "../../web/dom.js"

const EXAMPLES = {
  "A greeting": "Good morning! It is a pleasure to hear you. How can I help you today?",
  "Numbers and dates": "On March 15, 2024 at 2:30 pm we sold 1,250 tickets for $18.50 each; that is 12% more than in 2019.",
  "A pause": 'Ladies and gentlemen. <break time="1s"/> The winner is … <break time="0.8s"/> all of you!',
  "En français": "Le 14 juillet 2023, à 20h30, nous étions 3 500 au bord de la Seine. Quelle belle soirée !",
  "A story": `The lighthouse keeper had one visitor a year. She came in the first week of May, always with a basket, and always with the same question.

"Is the light still good?" she asked. He led her up the 144 steps, and they looked out until it was dark. Then he lit the lamp, and they both saw that it was.`,
}
const FEEDBACK_MS = 2000
const CHARACTERS_PER_SECOND = 15 // at a normal speaking rate

export class Composer {
  #box
  #counter
  #speak
  #stop
  #maxLength
  #compare
  #voices

  constructor({ root, maxLength, text, voices, speak, stop, link }) {
    this.#box = root.querySelector("#text")
    this.#counter = root.querySelector("#counter")
    this.#speak = root.querySelector("#speak")
    this.#stop = root.querySelector("#stop")
    this.#compare = root.querySelector("#compare")
    this.#maxLength = maxLength
    this.#voices = voices
    this.#box.value = text
    this.#box.addEventListener("input", () => this.#count())
    this.#box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) speak()
    })
    this.#speak.addEventListener("click", () => this.#canSpeak && speak())
    this.#stop.addEventListener("click", stop)
    this.#showExamples(root.querySelector("#examples"))
    this.#showLink(root.querySelector("#copy-link"), link)
    this.#count()
  }

  get text() {
    return this.#box.value
  }

  get compareWith() {
    return this.#compare.value
  }

  // The chosen voice; the others are offered for comparison.
  set voice(voice) {
    const previous = this.#compare.value
    const others = this.#voices.filter(({ id }) => id !== voice.id)
    const options = others.map(({ id, label, engineLabel }) => option(id, `${label} · ${engineLabel}`))
    this.#compare.replaceChildren(option("", "None"), ...options)
    this.#compare.value = others.some(({ id }) => id === previous) ? previous : ""
  }

  set isBusy(isBusy) {
    this.#stop.hidden = !isBusy
  }

  get #length() {
    return [...this.text].length
  }

  get #canSpeak() {
    return this.#length <= this.#maxLength && this.text.trim() !== ""
  }

  #count() {
    const over = this.#length - this.#maxLength
    const words = this.text.trim() ? this.text.trim().split(/\s+/).length : 0
    const seconds = Math.ceil(this.#length / CHARACTERS_PER_SECOND)
    const summary = `${this.#length.toLocaleString()} characters, ${words.toLocaleString()} words, about ${clock(seconds)}`
    this.#counter.textContent = over > 0 ? `${summary}: ${over.toLocaleString()} characters over the limit` : summary
    this.#counter.classList.toggle("is-over", over > 0)
    this.#speak.setAttribute("aria-disabled", String(!this.#canSpeak))
  }

  #showExamples(select) {
    select.append(...Object.keys(EXAMPLES).map((name) => option(name, name)))
    select.addEventListener("change", () => {
      this.#box.value = EXAMPLES[select.value] ?? this.#box.value
      select.value = ""
      this.#count()
      this.#box.focus()
    })
  }

  #showLink(button, link) {
    const label = button.textContent
    button.addEventListener("click", async () => {
      const address = link()
      try {
        await navigator.clipboard.writeText(address)
        button.textContent = "Copied"
      } catch {
        history.replaceState(null, "", address) // shows the link in the address bar
        button.textContent = "Copy it from the address bar"
      }
      setTimeout(() => (button.textContent = label), FEEDBACK_MS)
    })
  }
}

function option(value, label) {
  return Object.assign(make("option", "", label), { value })
}
