// Plays a session: from a word on, faster or slower, over the silences. Tells `change` when it begins or stops, and
// `at` with the position while it plays and whenever it jumps.

export class Player extends EventTarget {
  skipsSilence = false
  timeline
  #sound // an <audio>, or something that is as one
  #seconds

  constructor({ sound, seconds, timeline }) {
    super()
    this.#sound = sound
    this.#seconds = seconds
    this.timeline = timeline
    for (const name of ["play", "pause", "ended"]) sound.addEventListener(name, () => this.#changed())
    sound.addEventListener("seeked", () => this.#tell())
  }

  get at() {
    return this.#sound.currentTime
  }

  get isPlaying() {
    return !this.#sound.paused && !this.#sound.ended
  }

  get rate() {
    return this.#sound.playbackRate
  }

  set rate(rate) {
    this.#sound.playbackRate = this.#sound.defaultPlaybackRate = rate
  }

  play() {
    return this.#sound.play().catch(() => this.#changed()) // the browser may not allow it, or the sound be gone
  }

  pause() {
    this.#sound.pause()
  }

  toggle() {
    this.isPlaying ? this.pause() : this.play()
  }

  seek(seconds) {
    this.#sound.currentTime = Math.max(0, Math.min(this.#seconds, seconds))
    this.#tell()
  }

  playFrom(seconds) {
    this.seek(seconds)
    return this.play()
  }

  #changed() {
    this.dispatchEvent(new CustomEvent("change"))
    if (this.isPlaying) this.#follow()
  }

  // Once a frame: `timeupdate` comes four times a second, and a word is shorter.
  #follow() {
    if (!this.isPlaying) return
    if (this.skipsSilence) this.#skipSilence()
    this.#tell()
    requestAnimationFrame(() => this.#follow())
  }

  #skipSilence() {
    const goOn = this.#sound.seeking ? null : this.timeline.afterSilence(this.at, this.#seconds)
    if (goOn !== null) this.#sound.currentTime = goOn
  }

  #tell() {
    this.dispatchEvent(new CustomEvent("at", { detail: this.at }))
  }
}
