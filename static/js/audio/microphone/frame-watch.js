// Notices that a microphone delivers nothing, although it is open. A computer that wakes up has not waited: so it counts
// intervals, of which there is one at most after any sleep, and no time.

const INTERVAL_MS = 4000
const INTERVALS = 2

export class FrameWatch {
  #onStalled
  #timer = null
  #empty = 0 // intervals without a frame

  // onStalled is called after 8 seconds without a frame, and then every 4 seconds.
  constructor(onStalled) {
    this.#onStalled = onStalled
  }

  get isStalled() {
    return this.#empty >= INTERVALS
  }

  start() {
    this.stop()
    this.#timer = setInterval(() => {
      this.#empty += 1
      if (this.isStalled) this.#onStalled()
    }, INTERVAL_MS)
  }

  // Returns whether frames come again after none came.
  frame() {
    const wasStalled = this.isStalled
    this.#empty = 0
    return wasStalled
  }

  stop() {
    clearInterval(this.#timer)
    this.#empty = 0
  }
}
