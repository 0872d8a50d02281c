// Splits float samples into frames of 16-bit integers, each with its level.

export class Framer {
  #length
  #samples
  #filled = 0
  #squares = 0
  #peak = 0

  constructor(length) {
    this.#length = length
    this.#samples = new Int16Array(length)
  }

  // block: float32[n] within -1 to 1; other values are clipped. Calls `deliver` for each full frame.
  push(block, deliver) {
    for (const value of block) {
      const clipped = Math.max(-1, Math.min(1, value))
      this.#samples[this.#filled++] = Math.round(clipped * 32767)
      this.#squares += clipped * clipped
      this.#peak = Math.max(this.#peak, Math.abs(clipped))
      if (this.#filled === this.#length) deliver(this.flush())
    }
  }

  // The samples collected so far: the last frame of a recording is rarely full.
  flush() {
    const samples = this.#samples.slice(0, this.#filled)
    const rms = Math.sqrt(this.#squares / Math.max(1, this.#filled))
    const frame = { samples, rms, peak: this.#peak }
    this.#filled = this.#squares = this.#peak = 0
    return frame
  }
}
