// RecordingStore without a browser.

export class MemoryStore {
  recordings = new Map()
  blocksById = new Map() // id -> Map of start -> samples
  isBroken = false

  async write(recording, block, start) {
    if (this.isBroken) throw new Error("QuotaExceededError")
    this.recordings.set(recording.id, recording)
    const blocks = this.blocksById.get(recording.id) ?? new Map()
    this.blocksById.set(recording.id, blocks)
    if (block) blocks.set(block.start, block.samples)
    for (const key of blocks.keys()) if (key < start) blocks.delete(key)
  }

  async all() {
    return [...this.recordings.values()]
  }

  async blocks(id) {
    const blocks = [...(this.blocksById.get(id) ?? [])].sort(([one], [other]) => one - other)
    return blocks.map(([start, samples]) => ({ start, samples }))
  }

  async deleteBlocks(id) {
    this.blocksById.delete(id)
  }

  async remove(id) {
    this.recordings.delete(id)
    this.blocksById.delete(id)
  }
}

// The part of the Web Locks API that recordings use.
export class MemoryLocks {
  #held = new Map() // name -> a promise of its release

  async request(name, ...rest) {
    const use = rest.pop()
    const [{ ifAvailable = false } = {}] = rest
    if (ifAvailable && this.#held.has(name)) return use(null)
    while (this.#held.has(name)) await this.#held.get(name)
    const using = Promise.resolve(use({ name })).finally(() => this.#held.delete(name))
    this.#held.set(name, using)
    return using
  }

  async query() {
    return { held: [...this.#held.keys()].map((name) => ({ name })) }
  }
}
