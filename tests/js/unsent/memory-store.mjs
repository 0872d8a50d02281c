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
  #held = new Set()

  async request(name, _, use) {
    if (this.#held.has(name)) return use(null)
    this.#held.add(name)
    await use({ name })
    this.#held.delete(name)
  }

  async query() {
    return { held: [...this.#held].map((name) => ({ name })) }
  }
}
