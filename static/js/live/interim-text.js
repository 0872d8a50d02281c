// What an engine believes to hear before it is sure. The beginning that two readings have in common has settled ("local
// agreement", Liu et al. 2020); case and punctuation depend on what follows, so they may differ. One reading alone does
// not take back what has settled: it is held back until the next one says the same.

export class Tail {
  text = ""
  settled = "" // the beginning of the text
  #newest = "" // reading, shown or held back

  read(reading) {
    const differsAlone = reading && !continues(this.settled, reading) && continues(this.settled, this.#newest)
    const agreed = agreement(this.#newest, reading)
    this.#newest = reading
    if (differsAlone) return
    this.text = reading
    const kept = agreement(this.settled, reading)
    this.settled = agreed.length > kept.length ? agreed : kept
  }

  // A word that has become final leaves; where it became another word the whole tail is out of date.
  leave(word) {
    this.text = withoutFirst(this.text, word)
    this.settled = withoutFirst(this.settled, word)
    this.#newest = withoutFirst(this.#newest, word)
  }

  clear() {
    this.text = this.settled = this.#newest = ""
  }
}

// The words with which `later` begins as `earlier` does.
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
