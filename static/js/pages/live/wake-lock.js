// Keeps the screen on. Browsers drop the lock when the page is hidden, so it is asked for again.

export class WakeLock {
  #isWanted = false
  #lock = null

  constructor() {
    document.addEventListener("visibilitychange", () => this.#ask())
  }

  set wanted(value) {
    if (value === this.#isWanted) return
    this.#isWanted = value
    if (value) return this.#ask()
    this.#lock?.release()
    this.#lock = null
  }

  async #ask() {
    if (!this.#isWanted || document.visibilityState !== "visible") return
    try {
      const lock = await navigator.wakeLock?.request("screen")
      this.#isWanted ? (this.#lock = lock) : lock?.release()
    } catch {
      // A low battery may refuse it; the session goes on.
    }
  }
}
