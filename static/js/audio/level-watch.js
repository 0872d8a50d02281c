// Detects input level problems: "silent" when no signal arrives, "clipping" when it is too loud. A quiet room is
// neither: even there a microphone has some noise.

const FRAMES_PER_SECOND = 12.5
const SILENCE_RMS = 0.0003 // -70 dB; a muted microphone is at zero, the noise of a quiet one at -60
const SILENT_AFTER = 5 * FRAMES_PER_SECOND
const FULL_SCALE = 0.99
const MIN_CLIPS = 12 // within the window; gain control that starts too high clips less often before it settles
const WINDOW = 4 * FRAMES_PER_SECOND

export class LevelWatch {
  #silentFrames = 0
  #clipAges = [] // in frames, the newest last

  push({ rms, peak }) {
    this.#silentFrames = rms < SILENCE_RMS ? this.#silentFrames + 1 : 0
    this.#clipAges = this.#clipAges.map((age) => age + 1).filter((age) => age < WINDOW)
    if (peak >= FULL_SCALE) this.#clipAges.push(0)
  }

  get hint() {
    if (this.#silentFrames >= SILENT_AFTER) return "silent"
    return this.#clipAges.length >= MIN_CLIPS ? "clipping" : null
  }

  clear() {
    this.#silentFrames = 0
    this.#clipAges = []
  }
}
