// Writes the ring's audio to the browser's database, so that it outlives the page, and deletes what the server saved.
//
// It has no timer of its own: the caller calls `writeIfDue` with every frame and every acknowledgement, and does not
// wait for it. Where the browser stores nothing, `isPersisting` is false and the audio exists in memory only.

import { SAMPLE_RATE } from "../audio/samples.js"

const BLOCK = SAMPLE_RATE / 2

export class RecordingWriter {
  isPersisting = true
  finished // a promise
  #finish
  #store
  #recording
  #describe
  #ring = null
  #blocks = [] // starts of the written blocks
  #written = 0 // everything before this sample is written
  #numbering = 0
  #deletedBefore = 0
  #writing = null

  // recording: {id, owner, …}, constant metadata; describe() -> its current metadata.
  constructor({ store, recording, describe }) {
    this.#store = store
    this.#recording = recording
    this.#describe = describe
    this.finished = new Promise((resolve) => (this.#finish = resolve))
  }

  get id() {
    return this.#recording.id
  }

  // blocks: starts of the blocks that an earlier page wrote.
  attach(ring, blocks = []) {
    this.#ring = ring
    this.#blocks = blocks
    this.#written = blocks.length > 0 ? ring.end : ring.start
    this.#numbering = ring.renumbered
  }

  writeIfDue() {
    const isDue = this.#ring.end - this.#written >= BLOCK || this.#firstNeeded - this.#deletedBefore >= BLOCK
    if (isDue || this.#numbering !== this.#ring.renumbered) this.flush()
  }

  // Writes everything, even less than a block: the page may be about to close.
  flush() {
    if (!this.isPersisting || this.#writing) return this.#writing
    this.#writing = this.#write()
      .catch(() => (this.isPersisting = false))
      .finally(() => (this.#writing = null))
    return this.#writing
  }

  // The server has everything, or the user discards it.
  async remove() {
    this.isPersisting = false
    await this.#writing
    await this.#store.remove(this.id).catch(() => {})
    this.#finish()
  }

  // Stops writing and keeps what was written.
  async release() {
    const last = this.#describe() // the session that it describes may start another recording now
    this.#describe = () => last
    await this.#writing
    await this.flush()
    this.isPersisting = false
    this.#finish()
  }

  async #write() {
    if (this.#numbering !== this.#ring.renumbered) await this.#restart()
    const { end } = this.#ring
    const start = Math.max(this.#written, this.#ring.start)
    const block = end > start ? { start, samples: this.#ring.read(start, end - start) } : null
    if (block) this.#blocks.push(start)
    const deletedBefore = this.#dropBlocks()
    this.#written = end
    const recording = { ...this.#recording, ...this.#describe(), position: this.#ring.start, end }
    await this.#store.write(recording, block, deletedBefore)
  }

  // Positions were reassigned, so those of the written blocks are wrong.
  async #restart() {
    this.#numbering = this.#ring.renumbered
    this.#blocks = []
    this.#written = this.#ring.start
    await this.#store.deleteBlocks(this.id)
  }

  // A block is dropped when the next one starts at or before the first sample that is still needed.
  #dropBlocks() {
    const first = this.#firstNeeded
    this.#blocks = this.#blocks.filter((start) => start >= first)
    return (this.#deletedBefore = first)
  }

  get #firstNeeded() {
    const needed = this.#ring.start
    const before = this.#blocks.filter((start) => start <= needed).at(-1)
    return this.#written <= needed ? needed : (before ?? needed)
  }
}
