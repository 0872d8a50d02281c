// The median of the newest figures: one slow message says little, and a mean would follow it.

const KEPT = 25

export class Latency {
  #figures = []

  add(ms) {
    this.#figures.push(ms)
    if (this.#figures.length > KEPT) this.#figures.shift()
  }

  // null while nothing was measured.
  get median_ms() {
    if (this.#figures.length === 0) return null
    const sorted = [...this.#figures].sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)]
  }

  clear() {
    this.#figures = []
  }
}
