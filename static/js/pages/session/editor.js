// Correcting an utterance where it stands: its words become a field, and what the server made of it takes its place.

import { saidIn } from "./tools.js"

const FAILED = "It could not be saved: the server did not answer. Try again in a moment."

export class Editor {
  #template
  #transcript
  #address
  #corrected

  // address: where corrections go; corrected(history) is called with the history as HTML when one was made.
  constructor({ template, transcript, address, corrected }) {
    this.#template = template
    this.#transcript = transcript
    this.#address = address
    this.#corrected = corrected
  }

  open(utterance) {
    if (utterance.querySelector("form")) return
    const form = this.#template.content.cloneNode(true).firstElementChild
    const { text, speaker } = form.elements
    text.value = saidIn(utterance)
    speaker.value = utterance.dataset.speaker
    utterance.classList.add("utterance--edited")
    utterance.append(form)
    text.style.setProperty("height", `${text.scrollHeight + 4}px`)
    text.focus()
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.#save(utterance, form)
    })
    form.addEventListener("keydown", (event) => this.#pressed(event, utterance, form))
    form.addEventListener("click", ({ target }) => this.#does[target.dataset?.does]?.(utterance, form))
  }

  #does = {
    cancel: (utterance, form) => this.#close(utterance, form),
    split: (utterance, form) => this.#split(utterance, form),
    merge: (utterance, form) => this.#save(utterance, form, { do: "merge" }),
  }

  #pressed(event, utterance, form) {
    if (event.key === "Escape") {
      event.preventDefault()
      this.#close(utterance, form)
    } else if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea, input")) {
      event.preventDefault()
      form.requestSubmit()
    }
  }

  #close(utterance, form) {
    form.remove()
    utterance.classList.remove("utterance--edited")
    utterance.querySelector(".word")?.focus?.()
  }

  #split(utterance, form) {
    const { text } = form.elements
    const before = text.value.slice(0, text.selectionStart).split(/\s+/).filter(Boolean).length
    const isInWord = /\S$/.test(text.value.slice(0, text.selectionStart)) && /^\S/.test(text.value.slice(text.selectionStart))
    return this.#save(utterance, form, { do: "split", word: isInWord ? before - 1 : before })
  }

  // What was typed first, then `last`: each of them a correction of its own, of what the one before has made.
  async #save(utterance, form, last = null) {
    const { text, speaker } = form.elements
    const wishes = []
    if (text.value.split(/\s+/).join(" ").trim() !== saidIn(utterance).split(/\s+/).join(" ")) wishes.push({ do: "text", text: text.value })
    if (speaker.value.trim() !== utterance.dataset.speaker) wishes.push({ do: "speaker", speaker: speaker.value })
    if (last) wishes.push(last)
    if (!wishes.length) return this.#close(utterance, form)
    form.inert = true
    let [made, history] = [utterance, null]
    for (const wish of wishes) {
      const answer = await this.#ask(made.dataset.segment, wish)
      if (answer.what) {
        this.#complain(made, form, answer.what)
        break
      }
      history = answer.history
      const next = this.#put(answer)
      if (!next) break
      made = next
    }
    if (history !== null) this.#corrected(history)
  }

  async #ask(segment, wish) {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value
    try {
      const response = await fetch(`${this.#address}${segment}/`, {
        method: "POST",
        headers: { "X-CSRFToken": token, Accept: "application/json" },
        body: new URLSearchParams(wish),
      })
      return await response.json()
    } catch {
      return { what: FAILED }
    }
  }

  // Puts the new utterances where the replaced ones were. Returns the first, if any is left.
  #put({ replaced, utterances }) {
    const [first, ...rest] = replaced.map((id) => document.getElementById(`u${id}`)).filter(Boolean)
    const tools = document.getElementById("tools")
    this.#transcript.after(tools)
    tools.hidden = true
    const made = document.createRange().createContextualFragment(utterances)
    const next = made.querySelector(".utterance")
    first.replaceWith(made)
    for (const other of rest) other.remove()
    return next
  }

  #complain(utterance, form, what) {
    if (!form.isConnected) {
      utterance.classList.add("utterance--edited")
      utterance.append(form)
    }
    form.inert = false
    const told = form.querySelector("[role=alert]")
    told.hidden = false
    told.textContent = what
  }
}
