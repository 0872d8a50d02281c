// How long the user waits for a reply: from the end of their sentence, when it was spoken, to the first audio that
// leaves the loudspeaker. All values are in seconds.

export class TurnLatency {
  turns = [] // {reply, total, parts: {transcription, model, synthesis, network}}; network includes playback
  #spokenAt = null // ms: when the user's latest turn ended
  #pending = null // {reply, spokenAt, audibleAt, measured}

  // at: ms of performance.now(), or null for a turn that was typed.
  turnEnded(at) {
    this.#spokenAt = at
  }

  replyStarted(reply) {
    this.#pending = { reply, spokenAt: this.#spokenAt, audibleAt: null, measured: null }
    this.#spokenAt = null
  }

  // The server's part: {reply, endpoint, model, synthesis, total}. The first three can overlap, because a reply is
  // generated while it is not certain yet that the user has finished.
  measured(measured) {
    if (this.#pending?.reply !== measured.reply) return
    this.#pending.measured = measured
    this.#complete()
  }

  // The reply's first audio left the loudspeaker at that time, in ms of performance.now().
  audible(reply, at) {
    if (this.#pending?.reply !== reply) return
    this.#pending.audibleAt = at
    this.#complete()
  }

  get last() {
    return this.turns.at(-1) ?? null
  }

  // null before the first reply.
  get mean() {
    if (this.turns.length === 0) return null
    return this.turns.reduce((sum, { total }) => sum + total, 0) / this.turns.length
  }

  clear() {
    this.turns = []
    this.#spokenAt = this.#pending = null
  }

  #complete() {
    const { reply, spokenAt, audibleAt, measured } = this.#pending
    if (spokenAt === null || audibleAt === null || !measured) return
    this.#pending = null
    const { endpoint, model, synthesis } = measured
    const total = (audibleAt - spokenAt) / 1000
    const network = Math.max(0, total - measured.total)
    this.turns.push({ reply, total, parts: { transcription: endpoint, model, synthesis, network } })
  }
}
