// What was spoken for somebody, in the browser's database: text, words and audio of the newest takes, for their account
// alone. Every call may reject: a private window may have no database, a full disk no room.

const NAME = "takes"
const VERSION = 1
const MOST_TAKES = 50
const MOST_SAMPLES = 60 * 60 * 24000 // an hour, 170 MB

export class TakeStore {
  #database = null
  #owner

  constructor(owner) {
    this.#owner = owner
  }

  // Keeps a take that is made, and forgets the oldest ones beyond the bounds.
  async add({ id, text, speaker, controls, madeAt, words, chunks, samples }) {
    await this.#inOne("readwrite", (takes, audio) => {
      takes.put({ id, owner: this.#owner, text, speaker, controls, madeAt, words, samples })
      audio.put(joined(chunks, samples), id)
    })
    for (const old of beyond(await this.all())) await this.remove(old.id)
  }

  // The newest first, without their audio.
  async all() {
    const takes = await this.#inOne("readonly", (takes) => takes.getAll())
    return takes.filter(({ owner }) => owner === this.#owner).sort((a, b) => b.madeAt - a.madeAt)
  }

  // int16[n]; undefined if it is gone.
  audio(id) {
    return this.#inOne("readonly", (_, audio) => audio.get(id))
  }

  remove(id) {
    return this.#inOne("readwrite", (takes, audio) => {
      takes.delete(id)
      audio.delete(id)
    })
  }

  async #inOne(mode, work) {
    const database = await (this.#database ??= open())
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(["takes", "audio"], mode)
      const request = work(transaction.objectStore("takes"), transaction.objectStore("audio"))
      transaction.oncomplete = () => resolve(request?.result)
      transaction.onabort = () => reject(transaction.error)
    })
  }
}

// Those that are too old to be kept beside the newer ones before them.
export function beyond(takes) {
  let samples = 0
  return takes.filter((take, index) => {
    samples += take.samples
    return index > 0 && (index >= MOST_TAKES || samples > MOST_SAMPLES)
  })
}

export function joined(chunks, samples) {
  const whole = new Int16Array(samples)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION)
    request.onupgradeneeded = () => {
      request.result.createObjectStore("takes", { keyPath: "id" })
      request.result.createObjectStore("audio")
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
