// Text that an engine has recognized but may still change. The prefix that two consecutive hypotheses share is settled
// ("local agreement", Liu et al. 2020); case and punctuation depend on what follows, so they may differ. A single
// hypothesis that contradicts the settled prefix is held back until the next one confirms it.

import { gap, unitsOf } from "../text/word-spacing.js"

export class InterimText {
  text = ""
  settled = "" // prefix of the text
  #newest = "" // hypothesis, shown or held back

  update(hypothesis) {
    const isOutlier = hypothesis && !continues(this.settled, hypothesis) && continues(this.settled, this.#newest)
    const agreed = agreement(this.#newest, hypothesis)
    this.#newest = hypothesis
    if (isOutlier) return
    this.text = hypothesis
    const unchanged = agreement(this.settled, hypothesis)
    this.settled = agreed.length > unchanged.length ? agreed : unchanged
  }

  // Removes a word that has become final; where a different word became final, all of the text is out of date.
  finalize(word) {
    this.text = withoutFirst(this.text, word)
    this.settled = withoutFirst(this.settled, word)
    this.#newest = withoutFirst(this.#newest, word)
  }

  clear() {
    this.text = this.settled = this.#newest = ""
  }
}

// The longest prefix of `later`, in words, that agrees with `earlier`.
function agreement(earlier, later) {
  const [before, after] = [unitsOf(earlier), unitsOf(later)]
  const differs = after.findIndex(({ text }, index) => index >= before.length || plain(text) !== plain(before[index].text))
  return later.slice(0, (differs < 0 ? after.at(-1) : after[differs - 1])?.end ?? 0)
}

function continues(beginning, text) {
  return unitsOf(agreement(beginning, text)).length === unitsOf(beginning).length
}

function plain(word) {
  return word.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]/gu, "")
}

function withoutFirst(text, word) {
  const first = word.trimEnd()
  const rest = text.slice(first.length)
  const isWhole = !rest || /^\s/.test(rest) || !gap(first, rest)
  return text.startsWith(first) && isWhole ? rest.trimStart() : ""
}
