// Has one take spoken, over one socket: text goes up, audio and word times come down. The protocol is in docs/voices.md.

import { RATE } from "../audio/playout.js"
import { Failure } from "../web/failure.js"
import { Heartbeat } from "../web/heartbeat.js"

const PIECE = 8000 // characters of text in one message
const ACK_EVERY = RATE / 2 // samples
const TICK_MS = 1000
const DONE = 1000
const TICKET_REFUSED = 4001

export class SpeechClient {
  #take
  #socket = null
  #told = null // the server's `error`, until the close that follows it
  #isStopped = false
  #hasRetriedTicket = false
  #acknowledged = 0
  #heartbeat = null
  #timer = null

  constructor({ take, askTicket, socketUrl, WebSocket = globalThis.WebSocket, now = () => performance.now() }) {
    this.#take = take
    this.askTicket = askTicket
    this.socketUrl = socketUrl
    this.WebSocket = WebSocket
    this.now = now
  }

  // Resolves when the socket is on its way; how it goes on the take tells.
  async speak() {
    this.#take.ask(this.now())
    await this.#connect()
  }

  // At once: whatever is still on its way is nobody's.
  stop() {
    this.#isStopped = true
    this.#say({ type: "stop" })
    this.#hangUp()
    this.#take.stop(this.now())
  }

  async #connect() {
    try {
      const ticket = await this.askTicket()
      if (!this.#isStopped) this.#openSocket(ticket)
    } catch (error) {
      if (!this.#isStopped) this.#fail(error instanceof Failure ? error : new Failure("connection"))
    }
  }

  #openSocket(ticket) {
    const socket = new this.WebSocket(this.socketUrl(ticket))
    socket.binaryType = "arraybuffer"
    this.#socket = socket
    this.#heartbeat = new Heartbeat(this.now())
    this.#timer ??= setInterval(() => this.#watch(), TICK_MS)
    socket.onopen = () => this.#begin()
    socket.onmessage = ({ data }) => {
      this.#heartbeat.heard()
      typeof data === "string" ? this.#receive(JSON.parse(data)) : this.#hear(data)
    }
    socket.onclose = ({ code }) => this.#closed(code)
  }

  #begin() {
    const { text, speaker, controls } = this.#take
    this.#say({ type: "start", engine: speaker.engine, voice: speaker.voice, controls, wait: true })
    const letters = [...text] // a message must not end within one
    for (let at = 0; at < letters.length; at += PIECE) {
      this.#say({ type: "text", text: letters.slice(at, at + PIECE).join("") })
    }
    this.#say({ type: "finish" })
  }

  // A network that is gone does not always say so.
  #watch() {
    const now = this.now()
    if (this.#heartbeat.isDead(now)) this.#fail(new Failure("connection"))
    else if (this.#heartbeat.beat(now)) this.#say({ type: "ping", at: now })
  }

  #hear(data) {
    const samples = new Int16Array(data)
    this.#take.addAudio(samples, this.now())
    if (this.#take.samples - this.#acknowledged < ACK_EVERY) return
    this.#acknowledged = this.#take.samples
    this.#say({ type: "ack", sample: this.#acknowledged })
  }

  #receive(message) {
    this.#handlers[message.type]?.(message)
  }

  #handlers = {
    queued: ({ queue_position }) => this.#take.note({ queuePosition: queue_position }),
    synthesis_started: () => this.#take.note({ queuePosition: null, isInterrupted: false }),
    spoken_word: ({ text, at, start, end }) => this.#take.addWord({ text, at, start, end }),
    skipped: ({ text, at }) => this.#take.note({ skipped: [...this.#take.skipped, { text, at }] }),
    interrupted: () => this.#take.note({ isInterrupted: true }),
    synthesis_done: () => this.#take.finish(this.now()),
    error: (told) => {
      this.#told = told
    },
  }

  #closed(code) {
    if (code === TICKET_REFUSED && !this.#hasRetriedTicket) {
      this.#hasRetriedTicket = true
      return this.#connect()
    }
    this.#hangUp()
    if (this.#take.isOver) return
    // What the server told is meant for this text; the general words would be about listening.
    const failure = code === DONE ? null : Failure.ofCloseCode(code, this.#told ?? {})
    this.#fail(failure ?? new Failure("connection", this.#told ?? {}))
  }

  #fail(failure) {
    this.#hangUp()
    this.#take.fail(failure, this.now())
  }

  #hangUp() {
    const socket = this.#socket
    this.#socket = null
    clearInterval(this.#timer)
    this.#timer = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close(DONE)
  }

  #say(message) {
    if (this.#socket?.readyState === this.WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }
}
