// Fetches the words that the transcript lacks before index `count`, retrying while `isWanted()`.

const RETRY_MS = 2_000

export async function fillGap(transcript, count, fetchWords, isWanted, wait = pause) {
  while (isWanted() && transcript.words.length < count) {
    const first = transcript.words.length
    const words = await fetchWords(first).catch(() => [])
    if (!isWanted()) return
    for (const word of words) transcript.add(word)
    if (transcript.words.length === first) await wait(RETRY_MS)
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
