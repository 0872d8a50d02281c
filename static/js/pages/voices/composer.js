// The text to speak: typed, pasted or taken from an example; its length, Speak and Stop, and a link to it.

import { clock } from "../../web/clock.js"
import { make } from "../live/dom.js"

const EXAMPLES = {
  "A greeting": "Good morning! It is a pleasure to hear you. How can I help you today?",
  "Numbers and dates": "On March 15, 2024 at 2:30 pm we sold 1,250 tickets for $18.50 each; that is 12% more than in 2019.",
  "A pause": 'Ladies and gentlemen. <break time="1s"/> The winner is … <break time="0.8s"/> all of you!',
  "En français": "Le 14 juillet 2023, à 20h30, nous étions 3 500 au bord de la Seine. Quelle belle soirée !",
  "A story": `The lighthouse keeper had one visitor a year. She came in the first week of May, always with a basket, and always with the same question.

"Is the light still good?" she asked. He led her up the 144 steps, and they looked out until it was dark. Then he lit the lamp, and they both saw that it was.`,
}
const COPIED_MS = 2000
const CHARACTERS_A_SECOND = 15 // of speech that is not hurried

export class Composer {
  #box
  #counter
  #speak
  #stop
  #longest
  #compare
  #voices

  constructor({ root, longest, text, voices, speak, stop, link }) {
    this.#box = root.querySelector("#text")
    this.#counter = root.querySelector("#counter")
    this.#speak = root.querySelector("#speak")
    this.#stop = root.querySelector("#stop")
    this.#compare = root.querySelector("#compare")
    this.#longest = longest
    this.#voices = voices
    this.#box.value = text
    this.#box.addEventListener("input", () => this.#count())
    this.#box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) speak()
    })
    this.#speak.addEventListener("click", () => this.#mayspeak && speak())
    this.#stop.addEventListener("click", stop)
    this.#offerExamples(root.querySelector("#examples"))
    this.#offerLink(root.querySelector("#copy-link"), link)
    this.#count()
  }

  get text() {
    return this.#box.value
  }

  get compareWith() {
    return this.#compare.value
  }

  // The chosen one; the others can be compared with it.
  set voice(voice) {
    const before = this.#compare.value
    const others = this.#voices.filter(({ id }) => id !== voice.id)
    const options = others.map(({ id, label, engineLabel }) => option(id, `${label} · ${engineLabel}`))
    this.#compare.replaceChildren(option("", "nobody"), ...options)
    this.#compare.value = others.some(({ id }) => id === before) ? before : ""
  }

  set isBusy(isBusy) {
    this.#stop.hidden = !isBusy
  }

  get #length() {
    return [...this.text].length
  }

  get #mayspeak() {
    return this.#length <= this.#longest && this.text.trim() !== ""
  }

  #count() {
    const over = this.#length - this.#longest
    const words = this.text.trim() ? this.text.trim().split(/\s+/).length : 0
    const seconds = Math.ceil(this.#length / CHARACTERS_A_SECOND)
    const told = `${this.#length.toLocaleString()} characters, ${words.toLocaleString()} words, about ${clock(seconds)}`
    this.#counter.textContent = over > 0 ? `${told}: ${over.toLocaleString()} characters too many` : told
    this.#counter.classList.toggle("is-over", over > 0)
    this.#speak.setAttribute("aria-disabled", String(!this.#mayspeak))
  }

  #offerExamples(select) {
    select.append(...Object.keys(EXAMPLES).map((name) => option(name, name)))
    select.addEventListener("change", () => {
      this.#box.value = EXAMPLES[select.value] ?? this.#box.value
      select.value = ""
      this.#count()
      this.#box.focus()
    })
  }

  #offerLink(button, link) {
    const label = button.textContent
    button.addEventListener("click", async () => {
      const address = link()
      try {
        await navigator.clipboard.writeText(address)
        button.textContent = "Copied"
      } catch {
        history.replaceState(null, "", address) // then it stands in the address bar
        button.textContent = "It is in the address bar"
      }
      setTimeout(() => (button.textContent = label), COPIED_MS)
    })
  }
}

function option(value, label) {
  return Object.assign(make("option", "", label), { value })
}
