// Keeps the screen on. Browsers release the lock when the page is hidden, so it is requested again.

export class WakeLock {
  #isWanted = false
  #lock = null

  constructor() {
    document.addEventListener("visibilitychange", () => this.#request())
  }

  set wanted(value) {
    if (value === this.#isWanted) return
    this.#isWanted = value
    if (value) return this.#request()
    this.#lock?.release()
    this.#lock = null
  }

  async #request() {
    if (!this.#isWanted || document.visibilityState !== "visible") return
    try {
      const lock = await navigator.wakeLock?.request("screen")
      this.#isWanted ? (this.#lock = lock) : lock?.release()
    } catch {
      // The browser may refuse it when the battery is low; the session continues.
    }
  }
}
