// Writes down what lies in the ring, so that it outlives the page, and strikes out what the server has stored.
//
// It has no timer of its own: whoever owns it calls `keep` with every frame and every acknowledgement. Nobody waits
// for it. Where the browser keeps nothing, the ring in memory is what there is, and `isKeeping` says so.

import { SAMPLE_RATE } from "../audio/frame-ring.js"

const BLOCK = SAMPLE_RATE / 2

export class Keeper {
  isKeeping = true
  isOver // a promise
  #end
  #store
  #recording
  #describe
  #ring = null
  #blocks = [] // the starts of those that are written
  #written = 0 // everything before this sample is
  #numbering = 0
  #struck = 0
  #writing = null

  // recording: {id, owner, …}, what stays the same; describe() -> what is worth knowing of it now.
  constructor({ store, recording, describe }) {
    this.#store = store
    this.#recording = recording
    this.#describe = describe
    this.isOver = new Promise((resolve) => (this.#end = resolve))
  }

  get id() {
    return this.#recording.id
  }

  // blocks: the starts of those that an earlier page wrote.
  follow(ring, blocks = []) {
    this.#ring = ring
    this.#blocks = blocks
    this.#written = blocks.length > 0 ? ring.end : ring.start
    this.#numbering = ring.renumbered
  }

  keep() {
    const isDue = this.#ring.end - this.#written >= BLOCK || this.#firstKept - this.#struck >= BLOCK
    if (isDue || this.#numbering !== this.#ring.renumbered) this.flush()
  }

  // Whatever there is, however little: the page may be about to go.
  flush() {
    if (!this.isKeeping || this.#writing) return this.#writing
    this.#writing = this.#write()
      .catch(() => (this.isKeeping = false))
      .finally(() => (this.#writing = null))
    return this.#writing
  }

  // The server has everything, or the user wants none of it.
  async remove() {
    this.isKeeping = false
    await this.#writing
    await this.#store.remove(this.id).catch(() => {})
    this.#end()
  }

  // Nothing is written any more; what was written stays.
  async leave() {
    const last = this.#describe() // whoever describes it turns to another recording now
    this.#describe = () => last
    await this.#writing
    await this.flush()
    this.isKeeping = false
    this.#end()
  }

  async #write() {
    if (this.#numbering !== this.#ring.renumbered) await this.#beginAgain()
    const { end } = this.#ring
    const start = Math.max(this.#written, this.#ring.start)
    const block = end > start ? { start, samples: this.#ring.read(start, end - start) } : null
    if (block) this.#blocks.push(start)
    const struck = this.#strike()
    this.#written = end
    const recording = { ...this.#recording, ...this.#describe(), position: this.#ring.start, end }
    await this.#store.write(recording, block, struck)
  }

  // The blocks bear positions that mean other samples now.
  async #beginAgain() {
    this.#numbering = this.#ring.renumbered
    this.#blocks = []
    this.#written = this.#ring.start
    await this.#store.forgetBlocks(this.id)
  }

  // A block goes when the next one has begun before what is still needed.
  #strike() {
    const first = this.#firstKept
    this.#blocks = this.#blocks.filter((start) => start >= first)
    return (this.#struck = first)
  }

  get #firstKept() {
    const needed = this.#ring.start
    const before = this.#blocks.filter((start) => start <= needed).at(-1)
    return this.#written <= needed ? needed : (before ?? needed)
  }
}
