// Detects a dead connection, which may take a browser minutes.
//
// It has no timer of its own: timers of hidden tabs are throttled to one a minute, so the caller calls `beat` with
// every recorded frame. A late call does no harm; only an unanswered ping does.

const PING_INTERVAL_MS = 5_000
const TIMEOUT_MS = 12_000
const PROBE_TIMEOUT_MS = 2_500

export class Heartbeat {
  #lastPing
  #waitingSince
  #timeout_ms = TIMEOUT_MS

  // Opening counts as a ping: the server must send a message in time.
  constructor(now) {
    this.#lastPing = this.#waitingSince = now
  }

  received() {
    this.#waitingSince = null
    this.#timeout_ms = TIMEOUT_MS
  }

  // The connection may be dead: the ping that is sent now must be answered soon.
  probe(now) {
    this.#lastPing = this.#waitingSince = now
    this.#timeout_ms = PROBE_TIMEOUT_MS
  }

  isDead(now) {
    return this.#waitingSince !== null && now - this.#waitingSince > this.#timeout_ms
  }

  // Returns true when the next ping is due.
  beat(now) {
    if (this.#waitingSince !== null || now - this.#lastPing < PING_INTERVAL_MS) return false
    this.#lastPing = this.#waitingSince = now
    return true
  }
}
