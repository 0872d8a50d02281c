// How far an upload is, as a bar and in words.

const STAGES = {
  queued: () => "Is sent after the others",
  sending: ({ received, size }) => `Sending: ${megabytes(received)} of ${megabytes(size)} MB`,
  interrupted: ({ received, size }) => `The server is away; goes on by itself. ${megabytes(received)} of ${megabytes(size)} MB are there`,
  unfinished: ({ received, size }) => `${megabytes(received)} of ${megabytes(size)} MB are there. Choose the same file again to go on`,
  waiting: () => "Waits for a place: people who speak come first",
  checking: () => "Being checked",
  transcribing: (told) => `Transcribed ${clock(told.transcribed)} of ${clock(told.length)}`,
  cut: () => "",
  refused: () => "",
  done: (told) => `Done: ${clock(told.length)}`,
}

export function inWords(told, pace) {
  const left = told.state === "transcribing" && pace > 0 ? (told.length - told.transcribed) / pace : 0
  const toldPace = pace >= 2 ? ` · ${pace.toFixed(0)} times as fast as it was spoken` : ""
  return STAGES[told.state](told) + (left ? `${toldPace} · ${remaining(left)}` : "")
}

// 0 to 1, or null where nobody knows.
export function part({ state, received, size, transcribed, length }) {
  if (["sending", "interrupted", "unfinished"].includes(state)) return received / size
  if (state === "transcribing") return transcribed / length
  return state === "done" ? 1 : null
}

// Seconds transcribed in a second, over what was seen so far.
export class Pace {
  #first = null
  #last = null

  note(told, now) {
    if (told.state !== "transcribing") return
    const seen = { at: now, transcribed: told.transcribed }
    this.#first ??= seen
    this.#last = seen
  }

  get value() {
    const seconds = this.#last ? (this.#last.at - this.#first.at) / 1000 : 0
    return seconds > 2 ? (this.#last.transcribed - this.#first.transcribed) / seconds : 0
  }
}

export function clock(seconds) {
  const whole = Math.floor(seconds ?? 0)
  const [hour, minute, second] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (number) => String(number).padStart(2, "0")
  return hour ? `${hour}:${two(minute)}:${two(second)}` : `${minute}:${two(second)}`
}

function remaining(seconds) {
  if (seconds < 60) return "less than a minute left"
  const minutes = Math.round(seconds / 60)
  return minutes === 1 ? "about a minute left" : `about ${minutes} minutes left`
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1)
}
