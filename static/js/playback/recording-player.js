// Plays a session's audio from any word, at any speed, optionally without silences. Emits `change` when playback
// starts or stops, and `at` with the position during playback and after each seek.

export class RecordingPlayer extends EventTarget {
  skipsSilence = false
  timeline
  #audio // HTMLAudioElement
  #seconds

  constructor({ audio, seconds, timeline }) {
    super()
    this.#audio = audio
    this.#seconds = seconds
    this.timeline = timeline
    for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, () => this.#onChange())
    audio.addEventListener("seeked", () => this.#emitPosition())
  }

  get at() {
    return this.#audio.currentTime
  }

  get isPlaying() {
    return !this.#audio.paused && !this.#audio.ended
  }

  get rate() {
    return this.#audio.playbackRate
  }

  set rate(rate) {
    this.#audio.playbackRate = this.#audio.defaultPlaybackRate = rate
  }

  play() {
    return this.#audio.play().catch(() => this.#onChange()) // blocked by the browser, or the audio was deleted
  }

  pause() {
    this.#audio.pause()
  }

  toggle() {
    this.isPlaying ? this.pause() : this.play()
  }

  seek(seconds) {
    this.#audio.currentTime = Math.max(0, Math.min(this.#seconds, seconds))
    this.#emitPosition()
  }

  playFrom(seconds) {
    this.seek(seconds)
    return this.play()
  }

  #onChange() {
    this.dispatchEvent(new CustomEvent("change"))
    if (this.isPlaying) this.#follow()
  }

  // Once per animation frame: `timeupdate` fires four times a second, and a word is shorter than that.
  #follow() {
    if (!this.isPlaying) return
    if (this.skipsSilence) this.#skipSilence()
    this.#emitPosition()
    requestAnimationFrame(() => this.#follow())
  }

  #skipSilence() {
    const next = this.#audio.seeking ? null : this.timeline.afterSilence(this.at, this.#seconds)
    if (next !== null) this.#audio.currentTime = next
  }

  #emitPosition() {
    this.dispatchEvent(new CustomEvent("at", { detail: this.at }))
  }
}
