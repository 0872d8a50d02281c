// Offers what an earlier page has left unfinished: to go on with it, to finish it, to save its audio, to discard it.

import { SAMPLE_RATE } from "../../audio/frame-ring.js"
import { wavOf } from "../../audio/wav.js"
import { saveFile } from "./save-file.js"
import { span, timeAgo } from "./durations.js"

const LAST_WORDS = 12
const NOTHING = { words: [], isGone: false }

export class Offer {
  #panel
  #parts
  #dialog
  #recordings
  #fetchWords
  #takeUp
  #transcript
  #recording = null
  #words = []
  #asked = 0 // tells a late answer to an earlier question from one to the newest

  // takeUp(recording, words, {toFinish}) begins a session with what was left.
  constructor({ panel, dialog, recordings, fetchWords, takeUp, transcript }) {
    this.#panel = panel
    this.#parts = Object.fromEntries([...panel.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]))
    this.#dialog = dialog
    this.#recordings = recordings
    this.#fetchWords = fetchWords
    this.#takeUp = takeUp
    this.#transcript = transcript
    this.#parts.resume.addEventListener("click", () => this.#accept({ toFinish: false }))
    this.#parts.finish.addEventListener("click", () => this.#accept({ toFinish: true }))
    this.#parts.save.addEventListener("click", () => this.#save())
    this.#parts.discard.addEventListener("click", () => dialog.showModal())
    dialog.addEventListener("close", () => dialog.returnValue === "discard" && this.#discard(this.#recording))
  }

  // Looks whether there is anything, and shows it. Not while a session runs.
  async show() {
    const asked = ++this.#asked
    const recording = await this.#recordings.unfinished()
    const { words, isGone } = recording ? await this.#whatIsStored(recording) : NOTHING
    if (asked !== this.#asked) return
    if (isGone && keptOf(recording) === 0) return this.#discard(recording)
    this.#recording = recording
    this.#words = words
    this.#panel.hidden = !recording
    if (!recording) return this.#recordings.freed().then(() => asked === this.#asked && this.show())
    this.#describe(recording, isGone || recording.isTaken)
    this.#transcript.clear()
    for (const word of words) this.#transcript.add(word)
  }

  hide() {
    this.#asked += 1
    this.#panel.hidden = true
    this.#dialog.close()
  }

  // Where all of the audio is here, from its first sample on, a session that is gone can be made anew.
  async #whatIsStored(recording) {
    if (!recording.session) return NOTHING
    try {
      return { words: await this.#fetchWords(recording.session, 0), isGone: false }
    } catch (error) {
      if (error.kind !== "gone") return NOTHING // they come when the server can be reached
      if (recording.position > 0) return { words: [], isGone: true }
      recording.session = null
      return NOTHING
    }
  }

  #describe(recording, isOver) {
    const { savedAt, isTaken } = recording
    const lastWords = this.#words.slice(-LAST_WORDS).map(({ text }) => text).join(" ") || recording.lastWords
    const kept = keptOf(recording)
    const when = timeAgo((Date.now() - savedAt) / 1000)
    this.#parts.what.textContent = `You were speaking ${when}`
    this.#parts.words.textContent = lastWords ? `“… ${lastWords}”` : ""
    this.#parts.kept.textContent = isOver ? overText(kept, isTaken) : keptText(kept)
    this.#parts.resume.hidden = this.#parts.finish.hidden = isOver
    this.#parts.save.hidden = !isOver
  }

  #accept(how) {
    this.hide()
    this.#takeUp(this.#recording, this.#words, how)
  }

  async #save() {
    saveFile(wavOf(await this.#recordings.audio(this.#recording)), "speech", "wav")
  }

  async #discard(recording) {
    this.hide()
    this.#transcript.clear()
    await this.#recordings.remove(recording)
    this.show()
  }
}

// Seconds.
function keptOf({ position, end }) {
  return (end - position) / SAMPLE_RATE
}

function keptText(kept) {
  if (kept < 0.5) return "Everything that you said is stored. You can go on where you were."
  return `The last ${span(kept)} are kept in this browser for the server, which may lack them.`
}

function overText(kept, isTaken) {
  const why = isTaken ? "The session went on somewhere else" : "The session was deleted"
  return `${why}, so the last ${span(kept)} cannot be added to it. Their audio is still in this browser.`
}
