// One take: whose voice it is, its waveform, its words with the one that sounds lit, its figures, and what to do with it.

import { wavOf } from "../../audio/wav.js"
import { csrfToken } from "../../web/csrf.js"
import { joined } from "../../voices/take-store.js"
import { byId } from "../live/dom.js"
import { saveFile } from "../live/save-file.js"
import { SpokenWords } from "./spoken-words.js"
import { drawWaveform } from "./waveform.js"

const FORMATS = { mp3: "MP3", opus: "Opus" }

export class TakeView {
  element
  #take
  #player
  #files
  #speak
  #links
  #parts = {}
  #words
  #listening = new AbortController()
  #shownFailure = null

  constructor({ take, player, play, files, links, speak, changed }) {
    this.#take = take
    this.#player = player
    this.#files = files
    this.#links = links
    this.#speak = speak
    this.element = byId("take-template").content.firstElementChild.cloneNode(true)
    for (const part of this.element.querySelectorAll("[data-part]")) this.#parts[part.dataset.part] = part
    const { voice, words, again, wav, mp3, opus } = this.#parts
    voice.textContent = [take.speaker.label, take.speaker.engineLabel].filter(Boolean).join(" · ")
    this.#words = new SpokenWords(words, take)
    const { signal } = this.#listening
    take.addEventListener("change", changed, { signal })
    again.addEventListener("click", () => (this.#isPlaying ? player.stop() : play(take)))
    wav.addEventListener("click", () => saveFile(wavOf(take.chunks), "speech", "wav"))
    for (const [format, button] of Object.entries({ mp3, opus })) {
      button.addEventListener("click", () => this.#save(format, button))
    }
  }

  leave() {
    this.#listening.abort()
  }

  draw() {
    const { told, figures, again, files, wave } = this.#parts
    const take = this.#take
    this.element.dataset.state = take.state
    drawWaveform(wave, take, this.#isMine ? this.#player.played : 0)
    this.#words.show(this.#isPlaying ? this.#player.played : null)
    this.#say(told, this.#situation)
    figures.textContent = this.#figures
    again.hidden = take.samples === 0
    again.textContent = this.#isPlaying ? "Stop" : "Play"
    files.hidden = !(take.isOver && take.samples > 0)
    this.#showFailure()
  }

  get #isMine() {
    return this.#player.take === this.#take
  }

  get #isPlaying() {
    return this.#isMine && this.#player.isActive
  }

  get #situation() {
    const take = this.#take
    if (take.failure) return ""
    if (take.queuePosition !== null) return `All places are taken: you are number ${take.queuePosition} in the queue.`
    if (take.isInterrupted) return "The engine was lost; it goes on as soon as there is another one."
    if (take.state === "waiting") return "Waiting for the voice…"
    if (this.#isPlaying && this.#player.state === "waiting") return "Waiting for more…"
    const said = []
    if (take.state === "stopped") said.push("Stopped")
    else if (this.#isPlaying || take.state === "making") said.push(this.#words.progress)
    if (take.skipped.length > 0) said.push(this.#leftOut)
    return said.filter(Boolean).join(". ")
  }

  get #leftOut() {
    const parts = [...new Set(this.#take.skipped.map(({ text }) => text))]
    const more = parts.length > 5 ? " and more" : ""
    return `Left out, for nobody can speak it: ${parts.slice(0, 5).join(" ")}${more}`
  }

  get #figures() {
    const take = this.#take
    const figures = []
    if (take.firstSoundAfter !== null) figures.push(`first sound after ${Math.round(take.firstSoundAfter * 1000)} ms`)
    const factor = take.realTimeFactor(performance.now())
    if (factor !== null) figures.push(`made in ${factor.toFixed(factor < 0.1 ? 3 : 2)} of its length`)
    if (take.samples > 0) figures.push(`${take.seconds.toFixed(1)} s`)
    if (this.#isMine && this.#player.underruns > 0) {
      const often = this.#player.underruns === 1 ? "once" : `${this.#player.underruns} times`
      figures.push(`ran dry ${often}, now ${this.#player.wait.toFixed(1)} s ahead`)
    }
    return figures.join(" · ")
  }

  #showFailure() {
    const failure = this.#take.failure
    if (failure === this.#shownFailure) return
    this.#shownFailure = failure
    const { failure: region, what, why, retry, standing } = this.#parts
    region.hidden = !failure
    if (!failure) return
    what.textContent = failure.what
    why.textContent = `${failure.why ?? ""} ${failure.action ?? ""}`.trim()
    retry.hidden = !failure.ways?.includes("retry")
    retry.onclick = this.#speak
    standing.hidden = !failure.ways?.includes("standing")
    standing.href = this.#links.standing
  }

  #say(region, text) {
    if (region.textContent !== text) region.textContent = text
  }

  async #save(format, button) {
    const label = button.textContent
    button.disabled = true
    button.textContent = "Making…"
    try {
      const answer = await fetch(this.#files.replace("FORMAT", format), {
        method: "POST",
        headers: { "X-CSRFToken": csrfToken(), "Content-Type": "application/octet-stream" },
        body: joined(this.#take.chunks, this.#take.samples),
      })
      if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail ?? `The server answered ${answer.status}.`)
      saveFile(await answer.blob(), "speech", format)
    } catch (error) {
      this.#say(this.#parts.told, `The ${FORMATS[format]} file could not be made. ${error.message}`)
    } finally {
      button.disabled = false
      button.textContent = label
    }
  }
}
