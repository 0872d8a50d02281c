// Offers an unfinished recording of an earlier page: resume it, finish it, save its audio, or discard it.

import { SAMPLE_RATE } from "../../audio/samples.js"
import { wavOf } from "../../audio/wav.js"
import { textOfWords } from "../../text/word-spacing.js"
import { partsOf } from "../../web/dom.js"
import { saveFile } from "../../web/save-file.js"
import { formatDuration, timeAgo } from "./durations.js"

const LAST_WORDS = 12
const NOTHING = { words: [], isGone: false }

export class ResumePrompt {
  #panel
  #parts
  #dialog
  #recordings
  #fetchWords
  #resume
  #transcript
  #noun
  #recording = null
  #words = []
  #attempt = 0 // distinguishes a late response to an earlier request from the current one

  // resume(recording, words, {toFinish}) starts a session with the recording; noun: what the page calls a session.
  constructor({ panel, dialog, recordings, fetchWords, resume, transcript, noun = "session" }) {
    this.#panel = panel
    this.#parts = partsOf(panel)
    this.#dialog = dialog
    this.#recordings = recordings
    this.#fetchWords = fetchWords
    this.#resume = resume
    this.#transcript = transcript
    this.#noun = noun
    this.#parts.resume.addEventListener("click", () => this.#accept({ toFinish: false }))
    this.#parts.finish.addEventListener("click", () => this.#accept({ toFinish: true }))
    this.#parts.save.addEventListener("click", () => this.#save())
    this.#parts.discard.addEventListener("click", () => dialog.showModal())
    dialog.addEventListener("close", () => dialog.returnValue === "discard" && this.#discard(this.#recording))
  }

  // Shows the newest unfinished recording, if there is one. Not to be called during a session.
  async show() {
    const attempt = ++this.#attempt
    const recording = await this.#recordings.unfinished()
    const { words, isGone } = recording ? await this.#fetchSaved(recording) : NOTHING
    if (attempt !== this.#attempt) return
    if (isGone && unsentSeconds(recording) === 0) return this.#discard(recording)
    this.#recording = recording
    this.#words = words
    this.#panel.hidden = !recording
    if (!recording) return this.#recordings.released().then(() => attempt === this.#attempt && this.show())
    this.#describe(recording, isGone || recording.isTaken)
    this.#transcript.clear()
    for (const word of words) this.#transcript.add(word)
  }

  hide() {
    this.#attempt += 1
    this.#panel.hidden = true
    this.#dialog.close()
  }

  // If all of the audio is available from its first sample, a deleted session can be recreated.
  async #fetchSaved(recording) {
    if (!recording.session) return NOTHING
    try {
      return { words: await this.#fetchWords(recording.session, 0), isGone: false }
    } catch (error) {
      if (error.kind !== "gone") return NOTHING // the words follow when the server is reachable
      if (recording.position > 0) return { words: [], isGone: true }
      recording.session = null
      return NOTHING
    }
  }

  #describe(recording, isOver) {
    const { savedAt, isTaken } = recording
    const lastWords = textOfWords(this.#words.slice(-LAST_WORDS)) || recording.lastWords
    const unsent_s = unsentSeconds(recording)
    const when = timeAgo((Date.now() - savedAt) / 1000)
    this.#parts.what.textContent = `Unfinished ${this.#noun} from ${when}`
    this.#parts.words.textContent = lastWords ? `“… ${lastWords}”` : ""
    this.#parts.unsent.textContent = isOver ? overText(unsent_s, isTaken) : unsentText(unsent_s)
    this.#parts.resume.hidden = this.#parts.finish.hidden = isOver
    this.#parts.save.hidden = !isOver
  }

  #accept(options) {
    this.hide()
    this.#resume(this.#recording, this.#words, options)
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

function unsentSeconds({ position, end }) {
  return (end - position) / SAMPLE_RATE
}

function unsentText(unsent_s) {
  if (unsent_s < 0.5) return "Everything you said is saved. You can continue where you left off."
  return `The last ${formatDuration(unsent_s)} are kept in this browser and may not have reached the server.`
}

function overText(unsent_s, isTaken) {
  const why = isTaken ? "The session was continued elsewhere" : "The session was deleted"
  return `${why}, so the last ${formatDuration(unsent_s)} can't be added. The audio is still in this browser.`
}
