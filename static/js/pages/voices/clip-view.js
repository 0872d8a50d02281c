// One clip: its voice, waveform, text with the current word highlighted, statistics and actions.

import { concatenate } from "../../audio/samples.js"
import { wavOf } from "../../audio/wav.js"
import { csrfToken } from "../../web/csrf.js"
import { byId } from "../../web/dom.js"
import { saveFile } from "../../web/save-file.js"
import { drawClipWaveform } from "./clip-waveform.js"
import { SpokenWords } from "./spoken-words.js"

const FORMATS = { mp3: "MP3", opus: "Opus" }
const MAX_SKIPPED = 5

export class ClipView {
  element
  #clip
  #player
  #files
  #speak
  #links
  #parts = {}
  #words
  #subscription = new AbortController()
  #shownFailure = null

  constructor({ clip, player, play, files, links, speak, changed }) {
    this.#clip = clip
    this.#player = player
    this.#files = files
    this.#links = links
    this.#speak = speak
    this.element = byId("clip-template").content.firstElementChild.cloneNode(true)
    for (const part of this.element.querySelectorAll("[data-part]")) this.#parts[part.dataset.part] = part
    const { voice, words, again, wav, mp3, opus } = this.#parts
    voice.textContent = [clip.speaker.label, clip.speaker.engineLabel].filter(Boolean).join(" · ")
    this.#words = new SpokenWords(words, clip)
    const { signal } = this.#subscription
    clip.addEventListener("change", changed, { signal })
    again.addEventListener("click", () => (this.#isPlaying ? player.stop() : play(clip)))
    wav.addEventListener("click", () => saveFile(wavOf(clip.chunks), "speech", "wav"))
    for (const [format, button] of Object.entries({ mp3, opus })) {
      button.addEventListener("click", () => this.#save(format, button))
    }
  }

  close() {
    this.#subscription.abort()
  }

  draw() {
    const { status, stats, again, files, wave } = this.#parts
    const clip = this.#clip
    this.element.dataset.state = clip.state
    drawClipWaveform(wave, clip, this.#isCurrent ? this.#player.played : 0)
    this.#words.show(this.#isPlaying ? this.#player.played : null)
    this.#setText(status, this.#status)
    stats.textContent = this.#stats
    again.hidden = clip.samples === 0
    again.textContent = this.#isPlaying ? "Stop" : "Play"
    files.hidden = !(clip.isOver && clip.samples > 0)
    this.#showFailure()
  }

  get #isCurrent() {
    return this.#player.clip === this.#clip
  }

  get #isPlaying() {
    return this.#isCurrent && this.#player.isActive
  }

  get #status() {
    const clip = this.#clip
    if (clip.failure) return ""
    const { queuePosition } = clip
    if (queuePosition !== null) return `The server is at capacity. You're number ${queuePosition} in the queue.`
    if (clip.isInterrupted) return "The engine was lost. Playback continues when another one is available."
    if (clip.state === "waiting") return "Starting…"
    if (this.#isPlaying && this.#player.state === "waiting") return "Buffering…"
    const parts = []
    if (clip.state === "stopped") parts.push("Stopped")
    else if (this.#isPlaying || clip.state === "generating") parts.push(this.#words.progress)
    if (clip.skipped.length > 0) parts.push(this.#skipped)
    return parts.filter(Boolean).join(". ")
  }

  get #skipped() {
    const texts = [...new Set(this.#clip.skipped.map(({ text }) => text))]
    const more = texts.length > MAX_SKIPPED ? " and more" : ""
    return `Skipped, because this voice can't speak it: ${texts.slice(0, MAX_SKIPPED).join(" ")}${more}`
  }

  get #stats() {
    const clip = this.#clip
    const stats = []
    if (clip.firstAudioAfter !== null) stats.push(`first audio after ${Math.round(clip.firstAudioAfter * 1000)} ms`)
    const factor = clip.realTimeFactor(performance.now())
    if (factor !== null) stats.push(`real-time factor ${factor.toFixed(factor < 0.1 ? 3 : 2)}`)
    if (clip.samples > 0) stats.push(`${clip.seconds.toFixed(1)} s`)
    const { underruns, wait } = this.#player
    if (this.#isCurrent && underruns > 0) {
      stats.push(`${underruns} ${underruns === 1 ? "underrun" : "underruns"}, ${wait.toFixed(1)} s buffered`)
    }
    return stats.join(" · ")
  }

  #showFailure() {
    const failure = this.#clip.failure
    if (failure === this.#shownFailure) return
    this.#shownFailure = failure
    const { failure: region, what, why, retry, approvalStatus } = this.#parts
    region.hidden = !failure
    if (!failure) return
    what.textContent = failure.what
    why.textContent = `${failure.why ?? ""} ${failure.action ?? ""}`.trim()
    retry.hidden = !failure.actions?.includes("retry")
    retry.onclick = this.#speak
    approvalStatus.hidden = !failure.actions?.includes("approvalStatus")
    approvalStatus.href = this.#links.approvalStatus
  }

  #setText(region, text) {
    if (region.textContent !== text) region.textContent = text
  }

  async #save(format, button) {
    const label = button.textContent
    button.disabled = true
    button.textContent = "Converting…"
    try {
      const response = await fetch(this.#files.replace("FORMAT", format), {
        method: "POST",
        headers: { "X-CSRFToken": csrfToken(), "Content-Type": "application/octet-stream" },
        body: concatenate(this.#clip.chunks, new Int16Array(this.#clip.samples)),
      })
      const error = response.ok ? null : await response.json().catch(() => ({}))
      if (error) throw new Error(error.detail ?? `The server returned ${response.status}.`)
      saveFile(await response.blob(), "speech", format)
    } catch (error) {
      this.#setText(this.#parts.status, `Couldn't create the ${FORMATS[format]} file. ${error.message}`)
    } finally {
      button.disabled = false
      button.textContent = label
    }
  }
}
