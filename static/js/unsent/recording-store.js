// Unfinished recordings in IndexedDB, where they outlive the page: the metadata of each, and its audio in blocks. Every
// call may reject.

import { Database } from "../web/database.js"

export class RecordingStore {
  #database = new Database("recordings", { recordings: { keyPath: "id" }, blocks: {} }) // block key: [recording, start]

  // recording: {id, ...}; block: {start, samples} or null. Deletes the audio before sample `start`.
  async write(recording, block, start) {
    await this.#database.transaction("readwrite", (recordings, blocks) => {
      recordings.put(recording)
      if (block) blocks.put(block.samples, [recording.id, block.start])
      if (start > 0) blocks.delete(IDBKeyRange.bound([recording.id, 0], [recording.id, start], false, true))
    })
  }

  async all() {
    return this.#database.transaction("readonly", (recordings) => recordings.getAll())
  }

  // [{start, samples}], in order.
  async blocks(id) {
    const range = blocksOf(id)
    let keys, samples
    await this.#database.transaction("readonly", (_, blocks) => {
      keys = blocks.getAllKeys(range)
      samples = blocks.getAll(range)
    })
    return keys.result.map(([, start], i) => ({ start, samples: samples.result[i] }))
  }

  async deleteBlocks(id) {
    await this.#database.transaction("readwrite", (_, blocks) => blocks.delete(blocksOf(id)))
  }

  async remove(id) {
    await this.#database.transaction("readwrite", (recordings, blocks) => {
      recordings.delete(id)
      blocks.delete(blocksOf(id))
    })
  }
}

function blocksOf(id) {
  return IDBKeyRange.bound([id, 0], [id, Infinity])
}
