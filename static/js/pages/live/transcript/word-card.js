// Shows the times and the confidence of the word under the pointer or focused with the arrow keys.

export class WordCard {
  #log
  #card
  #transcript
  #word = null

  constructor({ log, card, transcript }) {
    this.#log = log
    this.#card = card
    this.#transcript = transcript
    log.addEventListener("pointerover", ({ target }) => this.#show(target.closest(".word")))
    log.addEventListener("click", ({ target }) => this.#show(target.closest(".word"))) // tap
    log.addEventListener("pointerleave", () => this.#show(null))
    log.addEventListener("focusin", ({ target }) => this.#show(target.closest(".word")))
    log.addEventListener("focusout", () => this.#show(null))
    log.addEventListener("scroll", () => this.#show(null), { passive: true })
    log.addEventListener("keydown", (event) => this.#move(event))
  }

  #show(element) {
    this.#word?.removeAttribute("aria-describedby")
    this.#word = element
    this.#card.hidden = !element
    if (!element) return

    const { start, end, confidence } = this.#transcript.words[element.dataset.index]
    const confidenceText = confidence === null ? "" : ` · ${Math.round(confidence * 100)}% confidence`
    this.#card.textContent = `${start.toFixed(2)} to ${end.toFixed(2)} s${confidenceText}`
    element.setAttribute("aria-describedby", this.#card.id)
    this.#position(element)
  }

  #position(element) {
    const word = element.getBoundingClientRect()
    const frame = this.#card.offsetParent.getBoundingClientRect()
    const maxLeft = frame.width - this.#card.offsetWidth - 8
    const left = word.left - frame.left + (word.width - this.#card.offsetWidth) / 2
    this.#card.style.setProperty("left", `${Math.max(8, Math.min(maxLeft, left))}px`)
    this.#card.style.setProperty("top", `${word.top - frame.top - this.#card.offsetHeight - 6}px`)
  }

  #move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (event.key === "Escape" && this.#word === document.activeElement) {
      event.stopPropagation()
      this.#log.focus()
    }
    if (!step) return
    const words = this.#log.getElementsByClassName("word")
    const current = this.#word ? Number(this.#word.dataset.index) + step : words.length - 1
    words[current]?.focus()
    event.preventDefault()
  }
}
