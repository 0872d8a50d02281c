// An IndexedDB database whose transactions span all of its stores. Every call may reject: a private window may have no
// database, a full disk no space.

const VERSION = 1

export class Database {
  #name
  #stores
  #opening = null

  // stores: {name: options of createObjectStore}
  constructor(name, stores) {
    this.#name = name
    this.#stores = stores
  }

  // Runs `work(...objectStores)`. Resolves when the transaction completes, with the result of the request it returns.
  async transaction(mode, work) {
    const database = await (this.#opening ??= this.#open())
    const names = Object.keys(this.#stores)
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(names, mode)
      const request = work(...names.map((name) => transaction.objectStore(name)))
      transaction.oncomplete = () => resolve(request?.result)
      transaction.onabort = () => reject(transaction.error)
    })
  }

  #open() {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name, VERSION)
      request.onupgradeneeded = () => {
        for (const [name, options] of Object.entries(this.#stores)) request.result.createObjectStore(name, options)
      }
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  }
}
