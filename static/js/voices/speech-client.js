// Generates one clip over one WebSocket: sends text, receives audio and word times. The protocol is in docs/voices.md.

import { RATE } from "../audio/playout.js"
import { Failure } from "../web/failure.js"
import { Heartbeat } from "../web/heartbeat.js"

const MAX_TEXT = 8000 // characters per message
const ACK_INTERVAL = RATE / 2 // samples
const TICK_MS = 1000
const NORMAL = 1000
const TICKET_REFUSED = 4001

export class SpeechClient {
  #clip
  #socket = null
  #error = null // the server's `error` message, until the close that follows it
  #isStopped = false
  #hasRetriedTicket = false
  #acknowledged = 0
  #heartbeat = null
  #timer = null

  constructor({ clip, requestTicket, socketUrl, WebSocket = globalThis.WebSocket, now = () => performance.now() }) {
    this.#clip = clip
    this.requestTicket = requestTicket
    this.socketUrl = socketUrl
    this.WebSocket = WebSocket
    this.now = now
  }

  // Resolves once the WebSocket is opening; the clip reports progress and failures.
  async speak() {
    this.#clip.start(this.now())
    await this.#connect()
  }

  // Stops immediately; audio that is still in transit is dropped.
  stop() {
    this.#isStopped = true
    this.#send({ type: "stop" })
    this.#closeSocket()
    this.#clip.stop(this.now())
  }

  async #connect() {
    try {
      const ticket = await this.requestTicket()
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
    this.#timer ??= setInterval(() => this.#checkConnection(), TICK_MS)
    socket.onopen = () => this.#start()
    socket.onmessage = ({ data }) => {
      this.#heartbeat.received()
      typeof data === "string" ? this.#receive(JSON.parse(data)) : this.#receiveAudio(data)
    }
    socket.onclose = ({ code }) => this.#onClose(code)
  }

  #start() {
    const { text, speaker, controls } = this.#clip
    this.#send({ type: "start", engine: speaker.engine, voice: speaker.voice, controls, wait: true })
    const characters = [...text] // split by code points, so that no message ends inside one
    for (let at = 0; at < characters.length; at += MAX_TEXT) {
      this.#send({ type: "text", text: characters.slice(at, at + MAX_TEXT).join("") })
    }
    this.#send({ type: "finish" })
  }

  // A lost network does not always close the socket.
  #checkConnection() {
    const now = this.now()
    if (this.#heartbeat.isDead(now)) this.#fail(new Failure("connection"))
    else if (this.#heartbeat.beat(now)) this.#send({ type: "ping", at: now })
  }

  #receiveAudio(data) {
    const samples = new Int16Array(data)
    this.#clip.addAudio(samples, this.now())
    if (this.#clip.samples - this.#acknowledged < ACK_INTERVAL) return
    this.#acknowledged = this.#clip.samples
    this.#send({ type: "ack", sample: this.#acknowledged })
  }

  #receive(message) {
    this.#handlers[message.type]?.(message)
  }

  #handlers = {
    queued: ({ queue_position }) => this.#clip.update({ queuePosition: queue_position }),
    synthesis_started: () => this.#clip.update({ queuePosition: null, isInterrupted: false }),
    spoken_word: ({ text, at, start, end }) => this.#clip.addWord({ text, at, start, end }),
    skipped: ({ text, at }) => this.#clip.update({ skipped: [...this.#clip.skipped, { text, at }] }),
    interrupted: () => this.#clip.update({ isInterrupted: true }),
    synthesis_done: () => this.#clip.finish(this.now()),
    error: (error) => {
      this.#error = error
    },
  }

  #onClose(code) {
    if (code === TICKET_REFUSED && !this.#hasRetriedTicket) {
      this.#hasRetriedTicket = true
      return this.#connect()
    }
    this.#closeSocket()
    if (this.#clip.isOver) return
    // The server's message is about this text; the general texts are about transcription.
    const failure = code === NORMAL ? null : Failure.ofCloseCode(code, this.#error ?? {})
    this.#fail(failure ?? new Failure("connection", this.#error ?? {}))
  }

  #fail(failure) {
    this.#closeSocket()
    this.#clip.fail(failure, this.now())
  }

  #closeSocket() {
    const socket = this.#socket
    this.#socket = null
    clearInterval(this.#timer)
    this.#timer = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close(NORMAL)
  }

  #send(message) {
    if (this.#socket?.readyState === this.WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }
}
