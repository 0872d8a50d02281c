// One user's recordings that have not come to their end, in this browser; of whatever tab, and whatever became of it.
//
// A tab holds a lock on the recording that it is making, which ends with the tab, however it ends. So a recording
// without a lock is one that somebody may take up.

import { FrameRing } from "../audio/frame-ring.js"
import { Keeper } from "./recording-writer.js"

const A_WEEK_MS = 7 * 24 * 60 * 60 * 1000
const TEN_MINUTES_MS = 10 * 60 * 1000

export class Recordings {
  #store
  #owner
  #locks
  #now

  constructor({ store, owner, locks = globalThis.navigator?.locks, now = Date.now }) {
    this.#store = store
    this.#owner = owner
    this.#locks = locks
    this.#now = now // of the wall: it is compared with what another page wrote down
  }

  // describe() -> {session, engine, language, lastWords, isTaken}
  begin(ring, describe) {
    const keeper = this.#keeper({ id: crypto.randomUUID(), owner: this.#owner }, describe)
    keeper.follow(ring)
    this.#hold(keeper)
    return keeper
  }

  // null if another tab was faster.
  async takeUp({ id, owner, position, end }, describe) {
    const keeper = this.#keeper({ id, owner }, describe)
    if (!(await this.#hold(keeper))) return null
    const blocks = await this.#store.blocks(id)
    const ring = FrameRing.of(blocks.map(({ samples }) => samples), blocks[0]?.start ?? Math.max(position, end))
    keeper.follow(ring, blocks.map(({ start }) => start))
    return { ring, keeper }
  }

  // The newest that nobody works on, or null.
  async unfinished() {
    const held = await this.#held()
    const all = (await this.#store.all().catch(() => [])).filter(({ id }) => !held.has(id))
    const stale = all.filter((recording) => !this.#isWorthKeeping(recording))
    await Promise.all(stale.map(({ id }) => this.#store.remove(id)))
    const mine = all.filter((recording) => recording.owner === this.#owner && !stale.includes(recording))
    return mine.sort((one, other) => other.savedAt - one.savedAt)[0] ?? null
  }

  // Resolves when a tab lets go of one: it has ended, perhaps a moment after the page that came in its place began.
  async freed() {
    const held = [...(await this.#held())]
    await Promise.race(held.map((id) => this.#locks.request(lockOf(id), () => {})))
  }

  async audio({ id }) {
    return (await this.#store.blocks(id)).map(({ samples }) => samples)
  }

  remove({ id }) {
    return this.#store.remove(id)
  }

  // Somebody else's audio is theirs to come back to, but not for ever.
  #isWorthKeeping({ savedAt, position, end, session }) {
    const age_ms = this.#now() - savedAt
    return end > position ? age_ms < A_WEEK_MS : session !== null && age_ms < TEN_MINUTES_MS
  }

  #keeper(recording, describe) {
    return new Keeper({
      store: this.#store,
      recording,
      describe: () => ({ ...describe(), savedAt: this.#now() }),
    })
  }

  // Resolves with whether nobody else holds it. The lock goes with the keeper's work.
  #hold(keeper) {
    return new Promise((resolve) => {
      const whileItIsOurs = (lock) => {
        resolve(lock !== null)
        return lock && keeper.isOver
      }
      this.#locks.request(lockOf(keeper.id), { ifAvailable: true }, whileItIsOurs).catch(() => resolve(false))
    })
  }

  async #held() {
    const { held } = await this.#locks.query()
    return new Set(held.map(({ name }) => name.replace(lockOf(""), "")))
  }
}

function lockOf(id) {
  return `recording ${id}`
}
