// Delay before the next attempt: none before the first retry, since most connections are lost for a transient reason;
// then twice as long each time, with jitter so that the pages of a restarted server do not all reconnect at once.

const FIRST_MS = 500
const MAX_MS = 15_000

export class Backoff {
  #attempts = 0
  #random

  constructor(random = Math.random) {
    this.#random = random
  }

  next_ms() {
    const attempt = this.#attempts++
    if (attempt === 0) return 0
    const ceiling = Math.min(MAX_MS, FIRST_MS * 2 ** (attempt - 1))
    return ceiling * (0.5 + this.#random() / 2)
  }

  reset() {
    this.#attempts = 0
  }
}
