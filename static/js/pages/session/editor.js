// Edits a segment in place: its text becomes a form field, and the server's result replaces it.

import { textOf } from "./tools.js"

const FAILED = "Couldn't save: the server didn't respond. Try again in a moment."

export class Editor {
  #template
  #transcript
  #address
  #onEdited

  // address: URL for edits; onEdited(history) is called with the list of changes as HTML after each edit.
  constructor({ template, transcript, address, onEdited }) {
    this.#template = template
    this.#transcript = transcript
    this.#address = address
    this.#onEdited = onEdited
  }

  open(segment) {
    if (segment.querySelector("form")) return
    const form = this.#template.content.cloneNode(true).firstElementChild
    const { text, speaker } = form.elements
    text.value = textOf(segment)
    speaker.value = segment.dataset.speaker
    segment.classList.add("segment--edited")
    segment.append(form)
    text.style.setProperty("height", `${text.scrollHeight + 4}px`)
    text.focus()
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.#save(segment, form)
    })
    form.addEventListener("keydown", (event) => this.#onKey(event, segment, form))
    form.addEventListener("click", ({ target }) => this.#actions[target.dataset?.does]?.(segment, form))
  }

  #actions = {
    cancel: (segment, form) => this.#close(segment, form),
    split: (segment, form) => this.#split(segment, form),
    merge: (segment, form) => this.#save(segment, form, () => ({ do: "merge" })),
  }

  #onKey(event, segment, form) {
    if (event.key === "Escape") {
      event.preventDefault()
      this.#close(segment, form)
    } else if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea, input")) {
      event.preventDefault()
      form.requestSubmit()
    }
  }

  #close(segment, form) {
    form.remove()
    segment.classList.remove("segment--edited")
    segment.querySelector(".word")?.focus?.()
  }

  // Saving the text may change where its words are.
  #split(segment, form) {
    const { text } = form.elements
    const before = text.value.slice(0, text.selectionStart).trimStart().replace(/\s+/g, " ").length
    return this.#save(segment, form, (current) => ({ do: "split", word: wordAt(current, before) }))
  }

  // Saves the form's changes, then `last`: each is an edit of its own, applied to the result of the previous one. `last`
  // returns an edit of the segment that it is given.
  async #save(segment, form, last = null) {
    const { text, speaker } = form.elements
    const edits = []
    if (text.value.split(/\s+/).join(" ").trim() !== textOf(segment).split(/\s+/).join(" ")) edits.push(() => ({ do: "text", text: text.value }))
    if (speaker.value.trim() !== segment.dataset.speaker) edits.push(() => ({ do: "speaker", speaker: speaker.value }))
    if (last) edits.push(last)
    if (!edits.length) return this.#close(segment, form)
    form.inert = true
    let [current, history] = [segment, null]
    for (const edit of edits) {
      const response = await this.#request(current.dataset.segment, edit(current))
      if (response.what) {
        this.#showError(current, form, [response.what, response.why, response.action].filter(Boolean).join(" "))
        break
      }
      history = response.history
      const next = this.#replace(response)
      if (!next) break
      current = next
    }
    if (history !== null) this.#onEdited(history)
  }

  async #request(id, edit) {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value
    try {
      const response = await fetch(`${this.#address}${id}/`, {
        method: "POST",
        headers: { "X-CSRFToken": token, Accept: "application/json" },
        body: new URLSearchParams(edit),
      })
      return await response.json()
    } catch {
      return { what: FAILED }
    }
  }

  // Puts the new segments in place of the replaced ones. Returns the first, if there is any.
  #replace({ replaced, segments }) {
    const [first, ...rest] = replaced.map((id) => document.getElementById(`u${id}`)).filter(Boolean)
    const tools = document.getElementById("tools")
    this.#transcript.after(tools)
    tools.hidden = true
    const fragment = document.createRange().createContextualFragment(segments)
    const next = fragment.querySelector(".segment")
    first.replaceWith(fragment)
    for (const other of rest) other.remove()
    return next
  }

  #showError(segment, form, what) {
    if (!form.isConnected) {
      segment.classList.add("segment--edited")
      segment.append(form)
    }
    form.inert = false
    const alert = form.querySelector("[role=alert]")
    alert.hidden = false
    alert.textContent = what
  }
}

// Number of the word in a segment at a character of its text, or of the next one if that is between two words.
function wordAt(segment, character) {
  let end = 0
  const words = [...segment.querySelector(".segment__words").childNodes].flatMap((node) => {
    end += node.textContent.length
    return node.matches?.(".word") ? [{ end: end - /\s*$/.exec(node.textContent)[0].length }] : []
  })
  const index = words.findIndex((word) => character < word.end)
  return index < 0 ? words.length : index
}
