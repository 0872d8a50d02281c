// Which word is spoken when, and where nobody speaks. Knows no page.

const LIT_FOR_S = 0.3 // after its end, so that the light does not flicker between two words
const SILENCE_S = 0.8
const LEAD_S = 0.2 // before a word begins

export class Timeline {
  #words // [{start, end}] in seconds, in order of their starts

  constructor(words) {
    this.#words = words
  }

  // The number of the word that is spoken at a time, or -1.
  wordAt(seconds) {
    const last = this.#lastBefore(seconds)
    return last >= 0 && seconds < this.#words[last].end + LIT_FOR_S ? last : -1
  }

  // The number of the first word that begins at a time or after it, or -1.
  wordFrom(seconds) {
    const next = this.#lastBefore(seconds - 0.001) + 1
    return next < this.#words.length ? next : -1
  }

  // Where to go on if nobody speaks for a while at that time; null if somebody does. After the last word: `total`.
  afterSilence(seconds, total) {
    const last = this.#lastBefore(seconds)
    const quietSince = last >= 0 ? this.#words[last].end : 0
    const next = this.#words[last + 1]
    const goOn = next ? next.start - LEAD_S : total
    const isSilence = (next?.start ?? total) - quietSince > SILENCE_S
    return isSilence && seconds > quietSince + LEAD_S && goOn - seconds > LEAD_S ? goOn : null
  }

  // Whether somebody speaks between two times.
  speaksBetween(start, end) {
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
