import { textOfWords } from "../text/word-spacing.js"

const LAST_WORDS = 12

// What another page needs to continue a session's recording. options: those of its start.
export function metadataOf({ id, engine, language, transcript, failure }, options) {
  return {
    session: id,
    engine: engine || options.engine,
    language: language || options.language,
    audio: options.audio,
    lastWords: textOfWords(transcript.words.slice(-LAST_WORDS)),
    isTaken: failure?.kind === "movedOn",
  }
}
