// Shows at once, and to fingers as well, what each word's `title` holds: the browser's own tooltip waits, and a touch
// screen has none.

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
      // A finger leaves as soon as it is lifted, and what it pointed at is read after that.
      if (pointerType !== "touch") this.#show(null)
    })
    document.addEventListener("pointerdown", ({ target }) => {
      if (!transcript.contains(target)) this.#show(null)
    })
  }

  #show(word) {
    this.#card.hidden = !word
    if (!word) return
    // The browser would lay its own over this one.
    if (word.title) {
      word.dataset.told = word.title
      word.removeAttribute("title")
    }
    this.#card.textContent = word.dataset.told
    this.#place(word.getClientRects()[0])
  }

  #place(word) {
    const frame = this.#transcript.getBoundingClientRect()
    const farthest = frame.width - this.#card.offsetWidth - EDGE_PX
    const left = word.left - frame.left + (word.width - this.#card.offsetWidth) / 2
    this.#card.style.setProperty("left", `${Math.max(0, Math.min(farthest, left))}px`)
    this.#card.style.setProperty("top", `${word.top - frame.top - this.#card.offsetHeight - ABOVE_PX}px`)
  }
}
