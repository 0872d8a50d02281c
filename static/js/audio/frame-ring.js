// Keeps what was recorded until the server has stored its words, so that it can be sent once more.
//
// Positions are samples of the session. It never drops what it keeps: when it is full it takes no more, and whoever
// records has to say so. What was said first is what later words rest on, and a gap in the middle helps nobody.

export const SAMPLE_RATE = 24000
export const FRAME_SAMPLES = 1920
const HALF_AN_HOUR = 30 * 60 * SAMPLE_RATE
const NEARLY = 0.8
const CHUNK = 10 * SAMPLE_RATE // memory comes and goes by these, so that a short backlog costs little

export class FrameRing {
  start = 0
  end = 0
  dropped = 0 // samples that the server asked for again after they were gone
  renumbered = 0 // how often positions came to mean other samples
  #capacity
  #chunks = []
  #origin = 0 // the position at which the first chunk begins
  #seam = null

  constructor(capacity = HALF_AN_HOUR) {
    this.#capacity = capacity
  }

  // Brings back what an earlier page kept from `position` on; blocks: [int16[n], …].
  static of(blocks, position, capacity) {
    const ring = new FrameRing(capacity)
    ring.#moveTo(position)
    for (const samples of blocks) ring.push(samples)
    ring.#seam = ring.end
    return ring
  }

  get kept() {
    return this.end - this.start
  }

  // Seconds.
  get room() {
    return this.#capacity / SAMPLE_RATE
  }

  get isNearlyFull() {
    return this.kept >= NEARLY * this.#capacity
  }

  get all() {
    return this.read(this.start, this.kept)
  }

  // samples: int16[n]. Whether they fitted in; if not, none of them was taken.
  push(samples) {
    if (this.kept + samples.length > this.#capacity) return false
    this.#eachStretch(this.end, samples.length, (chunk, at, from, count) => {
      chunk.set(samples.subarray(from, from + count), at)
    })
    this.end += samples.length
    return true
  }

  // A copy of at most `length` samples from `position` on.
  read(position, length = FRAME_SAMPLES) {
    const start = Math.max(position, this.start)
    const copy = new Int16Array(Math.max(0, Math.min(length, this.end - start)))
    this.#eachStretch(start, copy.length, (chunk, at, from, count) => {
      copy.set(chunk.subarray(at, at + count), from)
    })
    return copy
  }

  forget(position) {
    this.start = Math.max(this.start, Math.min(position, this.end))
    const gone = Math.floor((this.start - this.#origin) / CHUNK)
    this.#chunks.splice(0, gone)
    this.#origin += gone * CHUNK
  }

  // The server has everything before `position` and goes on from there.
  goOnFrom(position) {
    // It may have more of an earlier page than was brought back. What this page recorded is not among it: it follows.
    this.forget(this.#seam === null ? position : Math.min(position, this.#seam))
    this.#seam = null
    if (this.start === position) return
    this.dropped += Math.max(0, this.start - position)
    this.#moveTo(position)
  }

  #moveTo(position) {
    const shift = position - this.start
    this.start += shift
    this.end += shift
    this.#origin += shift
    this.renumbered += 1
  }

  // Calls `visit(chunk, at, from, count)` for each chunk that has a part of the `length` samples from `position` on.
  #eachStretch(position, length, visit) {
    for (let from = 0, count; from < length; from += count) {
      const place = position + from - this.#origin
      const chunk = (this.#chunks[Math.floor(place / CHUNK)] ??= new Int16Array(CHUNK))
      count = Math.min(length - from, CHUNK - (place % CHUNK))
      visit(chunk, place % CHUNK, from, count)
    }
  }
}
