// Where spaces are between words: none between those of scripts without spaces, such as Chinese, Japanese and Thai. The
// same rules as in speech/text/word_spacing.py and scripts.py; tests/js/text/word-spacing.json has cases for both.

const UNSPACED =
  "\\u0e01-\\u0e3a\\u0e40-\\u0e5b" + // Thai
  "\\u0e80-\\u0eff" + // Lao
  "\\u0f00-\\u0fff" + // Tibetan
  "\\u1000-\\u109f\\ua9e0-\\ua9ff\\uaa60-\\uaa7f" + // Burmese
  "\\u1780-\\u17ff\\u19e0-\\u19ff" + // Khmer
  "\\u1950-\\u19df\\u1a20-\\u1aaf\\uaa80-\\uaadf" + // Tai Le, New Tai Lue, Tai Tham, Tai Viet
  "\\u1b00-\\u1b7f\\ua980-\\ua9df" + // Balinese, Javanese
  "\\u3041-\\u309f\\u30a0-\\u30ff\\u31f0-\\u31ff\\uff66-\\uff9f\\u{1aff0}-\\u{1b16f}" + // Hiragana, Katakana
  "\\u3105-\\u312f\\u31a0-\\u31bf" + // Bopomofo
  "\\u2e80-\\u2fdf\\u3005-\\u3007\\u3021-\\u3029\\u3031-\\u3035\\u3038-\\u303c\\u31c0-\\u31ef" + // Han
  "\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{323af}"
const CLOSING = "、。〉》」』】〕〗〙〛〞〟・！％），．：；？］｝～｠｡｣､･﹐﹑﹒﹔﹕﹖﹗"
const OPENING = "〈《「『【〔〖〘〚〝（［｛｟｢"
const NEUTRAL = "“”‘’…—–\u200b\ufe0e\ufe0f"
const SENTENCE_ENDS = "།༎༏༐༑༔၊။។៕"

export const isUnspaced = RegExp(`^[${UNSPACED}${CLOSING}${OPENING}]$`, "u")
const isHangul = /^[\u1100-\u11ff\u3131-\u318f\ua960-\ua97f\uac00-\ud7ff]$/
const lastLetter = RegExp(`([^${NEUTRAL}])[${NEUTRAL}]*$`, "u")
const firstLetter = RegExp(`^[${NEUTRAL}]*([^${NEUTRAL}])`, "u")
const unit = RegExp(`[${UNSPACED}]\\p{M}*|[^\\s${UNSPACED}]+`, "gu")

// What is between two words: a space or nothing.
export function gap(before, after) {
  if (!before || !after || /\s$/.test(before) || /^\s/.test(after)) return ""
  if (CLOSING.includes(after[0]) || OPENING.includes(before.at(-1))) return ""
  let [left, right] = [lastLetter.exec(before)?.[1] ?? "", firstLetter.exec(after)?.[1] ?? ""]
  ;[left, right] = [left || right, right || left]
  if (!left || SENTENCE_ENDS.includes(left) || isHangul.test(left) || isHangul.test(right)) return " "
  if (CLOSING.includes(left) || OPENING.includes(right)) return ""
  return isUnspaced.test(left) && isUnspaced.test(right) ? "" : " "
}

// The text that the words make.
export function joinWords(words) {
  const parts = words.filter(Boolean)
  return parts.map((word, index) => gap(parts[index - 1], word) + word).join("").trimEnd()
}

// The text of objects with a `text`.
export function textOfWords(words) {
  return joinWords(words.map(({ text }) => text))
}

// The units of a text that can be compared: {text, end} of each character of a script without spaces, and of each word.
export function unitsOf(text) {
  return [...text.matchAll(unit)].map(({ 0: found, index }) => ({ text: found, end: index + found.length }))
}
