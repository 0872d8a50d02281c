// What RecordingStore does, without a browser.

export class MemoryStore {
  recordings = new Map()
  kept = new Map() // id -> Map of start -> samples
  isBroken = false

  async write(recording, block, start) {
    if (this.isBroken) throw new Error("QuotaExceededError")
    this.recordings.set(recording.id, recording)
    const blocks = this.kept.get(recording.id) ?? new Map()
    this.kept.set(recording.id, blocks)
    if (block) blocks.set(block.start, block.samples)
    for (const key of blocks.keys()) if (key < start) blocks.delete(key)
  }

  async all() {
    return [...this.recordings.values()]
  }

  async blocks(id) {
    const blocks = [...(this.kept.get(id) ?? [])].sort(([one], [other]) => one - other)
    return blocks.map(([start, samples]) => ({ start, samples }))
  }

  async forgetBlocks(id) {
    this.kept.delete(id)
  }

  async remove(id) {
    this.recordings.delete(id)
    this.kept.delete(id)
  }
}

// The Web Locks of one browser, as far as recordings use them.
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
