// Whether the level of what is recorded is worth a hint: "silent" when nothing at all arrives, "clipping" when it is
// too loud. A quiet room is neither: even there a microphone has some noise.

const FRAMES_PER_SECOND = 12.5
const NO_SOUND = 0.0003 // -70 dB; a switched-off microphone is at zero, the noise of a quiet one at -60
const SILENT_AFTER = 5 * FRAMES_PER_SECOND
const FULL_SCALE = 0.99
const CLIPS = 12 // within the watched time; gain control that starts too high has fewer before it has settled
const WATCHED = 4 * FRAMES_PER_SECOND

export class LevelWatch {
  #silentFor = 0
  #sinceClips = [] // frames ago, the newest last

  push({ rms, peak }) {
    this.#silentFor = rms < NO_SOUND ? this.#silentFor + 1 : 0
    this.#sinceClips = this.#sinceClips.map((ago) => ago + 1).filter((ago) => ago < WATCHED)
    if (peak >= FULL_SCALE) this.#sinceClips.push(0)
  }

  get hint() {
    if (this.#silentFor >= SILENT_AFTER) return "silent"
    return this.#sinceClips.length >= CLIPS ? "clipping" : null
  }

  clear() {
    this.#silentFor = 0
    this.#sinceClips = []
  }
}
