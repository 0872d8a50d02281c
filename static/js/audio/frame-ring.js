// Holds recorded audio until the server has saved its words, so that it can be sent again.
//
// Positions are samples of the session. It never overwrites audio: when it is full, `push` refuses new samples and the
// caller must report that. Recognition depends on earlier audio, so a gap would be worse than a pause.

import { FRAME_SAMPLES, SAMPLE_RATE } from "./samples.js"

const HALF_AN_HOUR = 30 * 60 * SAMPLE_RATE
const NEARLY_FULL = 0.8
const CHUNK = 10 * SAMPLE_RATE // allocation unit, so that a short backlog needs little memory

export class FrameRing {
  start = 0
  end = 0
  dropped = 0 // samples that the server requested again after they were discarded
  renumbered = 0 // number of times that positions were reassigned
  #capacity
  #chunks = []
  #origin = 0 // position of the first chunk's first sample
  #restoredEnd = null // position after the audio restored from an earlier page

  constructor(capacity = HALF_AN_HOUR) {
    this.#capacity = capacity
  }

  // A ring with the audio that an earlier page left, from `position`; blocks: [int16[n], …].
  static restore(blocks, position, capacity) {
    const ring = new FrameRing(capacity)
    ring.#moveTo(position)
    for (const samples of blocks) ring.push(samples)
    ring.#restoredEnd = ring.end
    return ring
  }

  // Samples.
  get length() {
    return this.end - this.start
  }

  get capacity_s() {
    return this.#capacity / SAMPLE_RATE
  }

  get isNearlyFull() {
    return this.length >= NEARLY_FULL * this.#capacity
  }

  get samples() {
    return this.read(this.start, this.length)
  }

  // samples: int16[n]. Returns false, without storing any of them, if they do not fit.
  push(samples) {
    if (this.length + samples.length > this.#capacity) return false
    this.#eachChunk(this.end, samples.length, (chunk, at, from, count) => {
      chunk.set(samples.subarray(from, from + count), at)
    })
    this.end += samples.length
    return true
  }

  // A copy of at most `length` samples from `position`.
  read(position, length = FRAME_SAMPLES) {
    const start = Math.max(position, this.start)
    const copy = new Int16Array(Math.max(0, Math.min(length, this.end - start)))
    this.#eachChunk(start, copy.length, (chunk, at, from, count) => {
      copy.set(chunk.subarray(at, at + count), from)
    })
    return copy
  }

  discardBefore(position) {
    this.start = Math.max(this.start, Math.min(position, this.end))
    const unused = Math.floor((this.start - this.#origin) / CHUNK)
    this.#chunks.splice(0, unused)
    this.#origin += unused * CHUNK
  }

  // The server has everything before `position` and continues from there.
  resumeFrom(position) {
    // It may have more of an earlier page's audio than was restored here, but nothing of what this page recorded.
    this.discardBefore(this.#restoredEnd === null ? position : Math.min(position, this.#restoredEnd))
    this.#restoredEnd = null
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

  // Calls `visit(chunk, at, from, count)` for each chunk that holds some of the `length` samples from `position`.
  #eachChunk(position, length, visit) {
    for (let from = 0, count; from < length; from += count) {
      const offset = position + from - this.#origin
      const chunk = (this.#chunks[Math.floor(offset / CHUNK)] ??= new Int16Array(CHUNK))
      count = Math.min(length - from, CHUNK - (offset % CHUNK))
      visit(chunk, offset % CHUNK, from, count)
    }
  }
}
