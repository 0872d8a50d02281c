// The turns of a conversation, as both sides read them. A reply's words are shown when they are played.
//
// Emits `turn` when one is added or has changed (it is to be hidden if its text is empty), and `clear`.

import { textOfWords } from "../text/word-spacing.js"

export const USER = "User"
export const ASSISTANT = "Assistant"

export class Captions extends EventTarget {
  turns = [] // {speaker, text, isOver}; of a reply also {reply, words, isCut}
  #reply = null // the turn that is spoken

  // turns: [{speaker, text}]: what was said before.
  restore(turns) {
    this.clear()
    for (const { speaker, text } of turns) this.#add({ speaker, text, isOver: true, isCut: text.endsWith("—") })
  }

  // A turn that was reopened, because the user went on before the reply began, comes again with more text.
  addUserTurn(text, isTyped = false) {
    this.#finishReply()
    const last = this.turns.at(-1)
    const isReopened = last?.speaker === USER && !isTyped && text.startsWith(last.text)
    if (!isReopened) return this.#add({ speaker: USER, text, isTyped, isOver: true })
    last.text = text
    this.#emitTurn(last)
  }

  startReply(reply) {
    this.#finishReply()
    this.#reply = this.#add({ speaker: ASSISTANT, text: "", reply, words: [], isOver: false, isCut: false })
  }

  // Times in seconds of the reply's audio.
  addReplyWord({ reply, text, start, end }) {
    if (this.#reply?.reply === reply) this.#reply.words.push({ text, start, end })
  }

  // The reply has been played up to `seconds`.
  showReplyUntil(reply, seconds) {
    if (this.#reply?.reply === reply) this.#setReplyText(textUntil(this.#reply.words, seconds))
  }

  // The reply was played to its end.
  endReply(reply) {
    if (this.#reply?.reply === reply) this.#finishReply()
  }

  // text: what counts as played, which the server knows; without it what is shown.
  cutReply(reply, text = null) {
    const turn = this.turns.find((each) => each.reply === reply)
    if (!turn) return
    if (turn === this.#reply) this.#reply = null
    const shown = turn.text && !turn.text.endsWith("—") ? `${turn.text}—` : turn.text
    Object.assign(turn, { text: text ?? shown, isOver: true, isCut: true })
    if (text === "") this.turns = this.turns.filter((each) => each !== turn)
    this.#emitTurn(turn)
  }

  clear() {
    this.turns = []
    this.#reply = null
    this.dispatchEvent(new CustomEvent("clear"))
  }

  #add(turn) {
    this.turns.push(turn)
    this.#emitTurn(turn)
    return turn
  }

  #finishReply() {
    const turn = this.#reply
    if (!turn) return
    this.#reply = null
    Object.assign(turn, { text: textUntil(turn.words, Infinity), isOver: true })
    this.#emitTurn(turn)
  }

  #setReplyText(text) {
    if (this.#reply.text === text) return
    this.#reply.text = text
    this.#emitTurn(this.#reply)
  }

  #emitTurn(turn) {
    this.dispatchEvent(new CustomEvent("turn", { detail: turn }))
  }
}

function textUntil(words, seconds) {
  return textOfWords(words.filter(({ start }) => start <= seconds))
}
