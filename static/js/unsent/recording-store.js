// Unfinished recordings in the browser's database, where they outlive the page: what is known of each, and its audio
// in blocks. Every call may reject: a private window may have no database, a full disk no room.

const NAME = "recordings"
const VERSION = 1

export class RecordingStore {
  #database = null

  // recording: {id, ...}; block: {start, samples} or null; audio before sample `start` is forgotten.
  async write(recording, block, start) {
    await this.#inOne("readwrite", (recordings, blocks) => {
      recordings.put(recording)
      if (block) blocks.put(block.samples, [recording.id, block.start])
      if (start > 0) blocks.delete(IDBKeyRange.bound([recording.id, 0], [recording.id, start], false, true))
    })
  }

  async all() {
    return this.#inOne("readonly", (recordings) => recordings.getAll())
  }

  // [{start, samples}], in order.
  async blocks(id) {
    const range = allBlocksOf(id)
    let keys, samples
    await this.#inOne("readonly", (_, blocks) => {
      keys = blocks.getAllKeys(range)
      samples = blocks.getAll(range)
    })
    return keys.result.map(([, start], i) => ({ start, samples: samples.result[i] }))
  }

  async forgetBlocks(id) {
    await this.#inOne("readwrite", (_, blocks) => blocks.delete(allBlocksOf(id)))
  }

  async remove(id) {
    await this.#inOne("readwrite", (recordings, blocks) => {
      recordings.delete(id)
      blocks.delete(allBlocksOf(id))
    })
  }

  // Resolves with the result of the request that `work` returns, when the whole transaction is through.
  async #inOne(mode, work) {
    const database = await (this.#database ??= open())
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(["recordings", "blocks"], mode)
      const request = work(transaction.objectStore("recordings"), transaction.objectStore("blocks"))
      transaction.oncomplete = () => resolve(request?.result)
      transaction.onabort = () => reject(transaction.error)
    })
  }
}

function allBlocksOf(id) {
  return IDBKeyRange.bound([id, 0], [id, Infinity])
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION)
    request.onupgradeneeded = () => {
      request.result.createObjectStore("recordings", { keyPath: "id" })
      request.result.createObjectStore("blocks") // under [recording, start]
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
