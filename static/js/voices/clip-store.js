// Generated clips in IndexedDB: text, words and audio of the newest ones, separately for each account. Every call may
// reject.

import { SAMPLE_RATE, concatenate } from "../audio/samples.js"
import { Database } from "../web/database.js"

const MAX_CLIPS = 50
const MAX_SAMPLES = 60 * 60 * SAMPLE_RATE // an hour, 170 MB

export class ClipStore {
  #database = new Database("clips", { clips: { keyPath: "id" }, audio: {} })
  #owner

  constructor(owner) {
    this.#owner = owner
  }

  // Stores a finished clip, and deletes the oldest ones beyond the limits.
  async add({ id, text, speaker, controls, createdAt, words, chunks, samples }) {
    await this.#database.transaction("readwrite", (clips, audio) => {
      clips.put({ id, owner: this.#owner, text, speaker, controls, createdAt, words, samples })
      audio.put(concatenate(chunks, new Int16Array(samples)), id)
    })
    for (const old of beyondLimits(await this.all())) await this.remove(old.id)
  }

  // The newest first, without their audio.
  async all() {
    const clips = await this.#database.transaction("readonly", (clips) => clips.getAll())
    return clips.filter(({ owner }) => owner === this.#owner).sort((a, b) => b.createdAt - a.createdAt)
  }

  // int16[n]; undefined if the clip was deleted.
  audio(id) {
    return this.#database.transaction("readonly", (_, audio) => audio.get(id))
  }

  remove(id) {
    return this.#database.transaction("readwrite", (clips, audio) => {
      clips.delete(id)
      audio.delete(id)
    })
  }
}

// clips: the newest first. Returns those that exceed the limits.
export function beyondLimits(clips) {
  let samples = 0
  return clips.filter((clip, index) => {
    samples += clip.samples
    return index > 0 && (index >= MAX_CLIPS || samples > MAX_SAMPLES)
  })
}
