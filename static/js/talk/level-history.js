// How loud both sides were in the last seconds: two values from 0 to 1 for each frame of the microphone.

const MAX_FRAMES = 256 // more than fit on any screen
const QUIET_DB = -52
const LOUD_DB = -12

export class LevelHistory {
  length = 0
  #user = new Float32Array(MAX_FRAMES)
  #assistant = new Float32Array(MAX_FRAMES)

  // RMS of both sides.
  push(user, assistant) {
    this.#user[this.length % MAX_FRAMES] = loudness(user)
    this.#assistant[this.length % MAX_FRAMES] = loudness(assistant)
    this.length += 1
  }

  // `ago`: in frames; 0 is the newest.
  userAt(ago) {
    return this.#at(this.#user, ago)
  }

  assistantAt(ago) {
    return this.#at(this.#assistant, ago)
  }

  clear() {
    this.length = 0
  }

  #at(levels, ago) {
    return ago < this.length && ago < MAX_FRAMES ? levels[(this.length - 1 - ago) % MAX_FRAMES] : 0
  }
}

function loudness(rms) {
  const decibels = 20 * Math.log10(rms + 1e-6)
  return Math.min(1, Math.max(0, (decibels - QUIET_DB) / (LOUD_DB - QUIET_DB)))
}
