// One user's unfinished recordings in this browser, of one kind of session, from any tab.
//
// The tab that makes a recording holds a Web Lock on it, which is released when the tab ends, however it ends. A
// recording without a lock can be claimed by another page.

import { FrameRing } from "../audio/frame-ring.js"
import { RecordingWriter } from "./recording-writer.js"

const LIVE = "live" // also of recordings from before there were kinds
const WEEK_MS = 7 * 24 * 60 * 60 * 1000
const TEN_MINUTES_MS = 10 * 60 * 1000

export class Recordings {
  #store
  #owner
  #kind
  #locks
  #now
  #locked = new Set() // IDs of the recordings that tabs held when `unfinished` looked

  constructor({ store, owner, kind = LIVE, locks = globalThis.navigator?.locks, now = Date.now }) {
    this.#store = store
    this.#owner = owner
    this.#kind = kind
    this.#locks = locks
    this.#now = now // wall clock: it is compared with what another page stored
  }

  // describe() -> {session, engine, language, lastWords, isTaken}
  start(ring, describe) {
    const writer = this.#createWriter({ id: crypto.randomUUID(), owner: this.#owner, kind: this.#kind }, describe)
    writer.attach(ring)
    this.#lock(writer)
    return writer
  }

  // null if another tab was faster.
  async claim({ id, owner, kind = LIVE, position, end }, describe) {
    const writer = this.#createWriter({ id, owner, kind }, describe)
    if (!(await this.#lock(writer))) return null
    const blocks = await this.#store.blocks(id)
    const ring = FrameRing.restore(blocks.map(({ samples }) => samples), blocks[0]?.start ?? Math.max(position, end))
    writer.attach(ring, blocks.map(({ start }) => start))
    return { ring, writer }
  }

  // The newest recording that no tab holds, or null.
  async unfinished() {
    const locked = (this.#locked = await this.#lockedIds())
    const all = (await this.#store.all().catch(() => [])).filter(({ id }) => !locked.has(id))
    const stale = all.filter((recording) => !this.#isWorthKeeping(recording))
    await Promise.all(stale.map(({ id }) => this.#store.remove(id)))
    const own = all.filter(({ owner, kind = LIVE }) => owner === this.#owner && kind === this.#kind)
    const kept = own.filter((recording) => !stale.includes(recording))
    return kept.sort((one, other) => other.savedAt - one.savedAt)[0] ?? null
  }

  // Resolves when a tab has released a recording that `unfinished` left out: after a reload the old page may end a
  // moment after the new one starts. A query of the locks here would miss one that was released in between.
  async released() {
    await Promise.race([...this.#locked].map((id) => this.#locks.request(lockName(id), () => {})))
  }

  async audio({ id }) {
    return (await this.#store.blocks(id)).map(({ samples }) => samples)
  }

  remove({ id }) {
    return this.#store.remove(id)
  }

  // Applies to recordings of other users too: they can come back to their audio, but not indefinitely.
  #isWorthKeeping({ savedAt, position, end, session }) {
    const age_ms = this.#now() - savedAt
    return end > position ? age_ms < WEEK_MS : session !== null && age_ms < TEN_MINUTES_MS
  }

  #createWriter(recording, describe) {
    return new RecordingWriter({
      store: this.#store,
      recording,
      describe: () => ({ ...describe(), savedAt: this.#now() }),
    })
  }

  // Resolves with whether the lock was acquired. It is held until the writer has finished.
  #lock(writer) {
    return new Promise((resolve) => {
      const hold = (lock) => {
        resolve(lock !== null)
        return lock && writer.finished
      }
      this.#locks.request(lockName(writer.id), { ifAvailable: true }, hold).catch(() => resolve(false))
    })
  }

  async #lockedIds() {
    const { held } = await this.#locks.query()
    return new Set(held.map(({ name }) => name.replace(lockName(""), "")))
  }
}

function lockName(id) {
  return `recording ${id}`
}
