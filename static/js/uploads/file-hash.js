// Identifies a file by its content: by its fingerprint before it is sent, and as a whole when it was.

import { Sha256 } from "./sha256.js"
import { UploadRejected } from "./server.js"

const PIECE_BYTES = 256 * 1024
const READ_BYTES = 2 * 1024 * 1024 // at a time: the page stays responsive
const CHANGED = {
  what: "Your browser can't read the file.",
  why: "It was changed, moved or deleted since you chose it.",
  action: "Choose the file again.",
}

export class FileHash {
  #file
  #hash = new Sha256()
  #end = 0 // bytes of the file that were added
  #whole = null

  constructor(file) {
    this.#file = file
  }

  // The SHA-256 of the first, middle and last 256 KiB, which a file of gigabytes has at once.
  async fingerprint() {
    const { size } = this.#file
    const hash = new Sha256()
    const pieces = [0, Math.floor((size - PIECE_BYTES) / 2), size - PIECE_BYTES]
    const isSmall = size <= 3 * PIECE_BYTES
    for (const start of isSmall ? [0] : pieces) hash.update(await this.#read(start, isSmall ? size : start + PIECE_BYTES))
    return hash.digest()
  }

  // Adds what is missing of the first `end` bytes. Returns the SHA-256 of the file if these are all, otherwise null.
  async addUpTo(end) {
    while (this.#end < end) {
      const next = Math.min(end, this.#end + READ_BYTES)
      this.#hash.update(await this.#read(this.#end, next))
      this.#end = next
    }
    if (this.#end === this.#file.size) this.#whole ??= this.#hash.digest()
    return this.#whole
  }

  async #read(start, end) {
    const bytes = await this.#file.slice(start, end).arrayBuffer().catch(() => null)
    if (bytes === null) throw new UploadRejected(CHANGED)
    return new Uint8Array(bytes)
  }
}
