// What an engine says twice of the same speech it means: the beginning that two readings have in common ("local
// agreement", Liu et al. 2020). Case and punctuation depend on what follows, so they may differ.

export function agreement(earlier, later) {
  const [before, after] = [earlier, later].map((text) => text.split(" ").filter(Boolean))
  const differs = after.findIndex((word, index) => index >= before.length || plain(word) !== plain(before[index]))
  return after.slice(0, differs < 0 ? after.length : differs).join(" ")
}

function plain(word) {
  return word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "")
}
