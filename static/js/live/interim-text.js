// Text that an engine has recognized but may still change. The prefix that two consecutive hypotheses share is settled
// ("local agreement", Liu et al. 2020); case and punctuation depend on what follows, so they may differ. A single
// hypothesis that contradicts the settled prefix is held back until the next one confirms it.

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
  const [before, after] = [wordsOf(earlier), wordsOf(later)]
  const differs = after.findIndex((word, index) => index >= before.length || plain(word) !== plain(before[index]))
  return after.slice(0, differs < 0 ? after.length : differs).join(" ")
}

function continues(beginning, text) {
  return wordsOf(agreement(beginning, text)).length === wordsOf(beginning).length
}

function wordsOf(text) {
  return text.split(" ").filter(Boolean)
}

function plain(word) {
  return word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "")
}

function withoutFirst(text, word) {
  if (text === word) return ""
  return text.startsWith(`${word} `) ? text.slice(word.length + 1) : ""
}
