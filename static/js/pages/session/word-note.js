// Shows each word's `title` immediately and on touch screens: the browser's own tooltip is delayed and needs a mouse.

const EDGE_PX = 8
const ABOVE_PX = 4

export class WordNote {
  #transcript
  #card

  constructor({ transcript, card }) {
    this.#transcript = transcript
    this.#card = card
    transcript.addEventListener("pointerover", ({ target }) => this.#show(target.closest(".word")))
    transcript.addEventListener("pointerleave", ({ pointerType }) => {
      // A touch ends when the finger is lifted, before the user has read the note.
      if (pointerType !== "touch") this.#show(null)
    })
    document.addEventListener("pointerdown", ({ target }) => {
      if (!transcript.contains(target)) this.#show(null)
    })
  }

  #show(word) {
    this.#card.hidden = !word
    if (!word) return
    // Otherwise the browser's tooltip would cover this one.
    if (word.title) {
      word.dataset.note = word.title
      word.removeAttribute("title")
    }
    this.#card.textContent = word.dataset.note
    this.#position(word.getClientRects()[0])
  }

  #position(word) {
    const frame = this.#transcript.getBoundingClientRect()
    const maxLeft = frame.width - this.#card.offsetWidth - EDGE_PX
    const left = word.left - frame.left + (word.width - this.#card.offsetWidth) / 2
    this.#card.style.setProperty("left", `${Math.max(0, Math.min(maxLeft, left))}px`)
    this.#card.style.setProperty("top", `${word.top - frame.top - this.#card.offsetHeight - ABOVE_PX}px`)
  }
}
