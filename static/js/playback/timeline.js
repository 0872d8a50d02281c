// Times of words and silences. Independent of the DOM.

const LINGER_S = 0.3 // a word stays current after its end, so that the highlight does not flicker between words
const MIN_SILENCE_S = 0.8
const LEAD_S = 0.2 // before a word starts

export class Timeline {
  #words // [{start, end}] in seconds, sorted by start

  constructor(words) {
    this.#words = words
  }

  // The index of the word that is spoken at a time, or -1.
  wordAt(seconds) {
    const last = this.#lastBefore(seconds)
    return last >= 0 && seconds < this.#words[last].end + LINGER_S ? last : -1
  }

  // The index of the first word that starts at a time or later, or -1.
  wordFrom(seconds) {
    const next = this.#lastBefore(seconds - 0.001) + 1
    return next < this.#words.length ? next : -1
  }

  // Where to resume if a time lies in a long silence, else null. After the last word: `total`.
  afterSilence(seconds, total) {
    const last = this.#lastBefore(seconds)
    const quietSince = last >= 0 ? this.#words[last].end : 0
    const next = this.#words[last + 1]
    const resumeAt = next ? next.start - LEAD_S : total
    const isSilence = (next?.start ?? total) - quietSince > MIN_SILENCE_S
    return isSilence && seconds > quietSince + LEAD_S && resumeAt - seconds > LEAD_S ? resumeAt : null
  }

  // Whether there is speech between two times.
  hasSpeechBetween(start, end) {
    const last = this.#lastBefore(end)
    return last >= 0 && this.#words[last].end > start
  }

  #lastBefore(seconds) {
    let [low, high] = [0, this.#words.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#words[middle].start <= seconds) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}
