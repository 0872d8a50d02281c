// Progress of an upload, as a fraction and as text.

import { clock } from "../web/clock.js"

const DESCRIPTIONS = {
  queued: () => "Queued",
  uploading: (status) => `Uploading: ${amount(status)}`,
  interrupted: (status) => `Server unavailable; retrying automatically. ${amount(status)} uploaded`,
  elsewhere: (status) => `Uploading in another window: ${amount(status)}`,
  unfinished: (status) => `${amount(status)} uploaded. Choose the same file again to continue`,
  waiting: () => "Waiting for capacity; live sessions come first",
  checking: () => "Checking",
  transcribing: ({ transcribed, duration }) => `Transcribed ${clock(transcribed)} of ${clock(duration)}`,
  truncated: () => "",
  failed: () => "",
  done: ({ duration }) => `Done: ${clock(duration)}`,
}

// pace: seconds of audio transcribed per second.
export function describe(status, pace) {
  const left = status.state === "transcribing" && pace > 0 ? (status.duration - status.transcribed) / pace : 0
  const paceText = pace >= 2 ? ` · ${pace.toFixed(0)} times real time` : ""
  return DESCRIPTIONS[status.state](status) + (left ? `${paceText} · ${remaining(left)}` : "")
}

// 0 to 1, or null where the progress is unknown.
export function fractionOf({ state, received, size, transcribed, duration }) {
  if (["uploading", "interrupted", "elsewhere", "unfinished"].includes(state)) return received / size
  if (state === "transcribing") return transcribed / duration
  return state === "done" ? 1 : null
}

// Measures how many seconds of audio are transcribed per second, from the first to the last observation.
export class Pace {
  #first = null
  #last = null

  record(status, now) {
    if (status.state !== "transcribing") return
    const observation = { at: now, transcribed: status.transcribed }
    this.#first ??= observation
    this.#last = observation
  }

  get value() {
    const seconds = this.#last ? (this.#last.at - this.#first.at) / 1000 : 0
    return seconds > 2 ? (this.#last.transcribed - this.#first.transcribed) / seconds : 0
  }
}

function remaining(seconds) {
  if (seconds < 60) return "less than a minute left"
  const minutes = Math.round(seconds / 60)
  return minutes === 1 ? "about a minute left" : `about ${minutes} minutes left`
}

function amount({ received, size }) {
  return `${(received / 1e6).toFixed(1)} of ${(size / 1e6).toFixed(1)} MB`
}
