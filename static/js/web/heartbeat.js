// Notices a dead connection, which a browser may take minutes to do.
//
// It has no timer of its own: timers of hidden tabs are held back to one a minute, so whoever owns it calls `beat`
// with every recorded frame. A late call does no harm, only an unanswered ping does.

const PING_EVERY_MS = 5_000
const PATIENCE_MS = 12_000
const LITTLE_PATIENCE_MS = 2_500

export class Heartbeat {
  #lastPing
  #waitingSince
  #patience_ms = PATIENCE_MS

  // Opening counts as a ping: the server has to say something in time.
  constructor(now) {
    this.#lastPing = this.#waitingSince = now
  }

  heard() {
    this.#waitingSince = null
    this.#patience_ms = PATIENCE_MS
  }

  // Something hints at a dead connection: the ping that is sent now has to be answered soon.
  doubt(now) {
    this.#lastPing = this.#waitingSince = now
    this.#patience_ms = LITTLE_PATIENCE_MS
  }

  isDead(now) {
    return this.#waitingSince !== null && now - this.#waitingSince > this.#patience_ms
  }

  // Whether it is time for another ping.
  beat(now) {
    if (this.#waitingSince !== null || now - this.#lastPing < PING_EVERY_MS) return false
    this.#lastPing = this.#waitingSince = now
    return true
  }
}
