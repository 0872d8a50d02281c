// Fetches the words that the transcript lacks before index `count`, retrying while `isWanted()`.

const RETRY_MS = 2_000

export async function fillGap(transcript, count, fetchWords, isWanted) {
  while (isWanted() && transcript.words.length < count) {
    try {
      const words = await fetchWords(transcript.words.length)
      if (isWanted()) for (const word of words) transcript.add(word)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}
