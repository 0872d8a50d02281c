// The median of the newest measurements: a mean would follow a single slow message.

const MAX_SAMPLES = 25

export class Latency {
  #measurements = []

  add(ms) {
    this.#measurements.push(ms)
    if (this.#measurements.length > MAX_SAMPLES) this.#measurements.shift()
  }

  // null before the first measurement.
  get median_ms() {
    if (this.#measurements.length === 0) return null
    const sorted = [...this.#measurements].sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)]
  }

  clear() {
    this.#measurements = []
  }
}
