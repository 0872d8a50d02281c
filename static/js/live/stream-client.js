// The connection of one session to the server, over as many WebSockets as necessary.
//
// It sends the ring's audio in order, starting at the position that the server requests. What the server has not saved
// stays in the ring, so a lost connection loses nothing. Emits `state`, `ready`, `step`, `word`, `partial`, `endpoint`,
// `ack`, `unstored`, `interrupted`, `round-trip`, `done` and `failed`. The protocol is in docs/browser-protocol.md. For
// protocols that extend it, it emits `audio` with int16[n] that the server sends, and `message` with other messages.

import { SAMPLE_RATE } from "../audio/samples.js"
import { Backoff } from "../web/backoff.js"
import { TicketSocket } from "../web/ticket-socket.js"

const MAX_BUFFERED_BYTES = 256 * 1024
const MAX_UNPROCESSED_SAMPLES = 10 * SAMPLE_RATE // after an outage the backlog is sent no faster than it is processed
const MAX_UNSAVED_SAMPLES = 60 * SAMPLE_RATE // the server need not hold more than this if it cannot save
const PUMP_INTERVAL_MS = 250 // where no audio calls `pump`

export class StreamClient extends EventTarget {
  state = "idle" // connecting starting queued live interrupted reconnecting pausing paused stopping done failed
  session // the ID with which to reconnect
  queuePosition = null
  progress = "" // of an engine that is starting
  processed = 0 // the engine has processed everything before this sample
  #intent = "run" // run pause stop
  #wasReady = false
  #cursor = 0 // the next sample to send
  #socket = null // of the current connection, from the request for its ticket on
  #retryAt = null
  #timer = null
  #connection
  #now
  #backoff

  // options: fields of the start message; connection: {requestTicket, socketUrl, WebSocket} of a
  // TicketSocket.
  constructor({ ring, session = null, options, now = () => performance.now(), random, ...connection }) {
    super()
    this.ring = ring
    this.session = session
    this.options = options
    this.#connection = { ...connection, now }
    this.#now = now
    this.#backoff = new Backoff(random)
  }

  // Also continues after a failure, with the same session and the rest of the ring.
  open() {
    this.#timer ??= setInterval(() => this.pump(), PUMP_INTERVAL_MS)
    this.#intent = "run"
    this.#backoff.reset()
    return this.#connect()
  }

  pause() {
    this.#intent = "pause"
    this.pump()
  }

  resume() {
    this.#intent = "run"
    if (this.state !== "paused") return
    if (!this.#socket) return this.#connect()
    this.#socket.send({ type: "resume" })
    this.#setState("connecting")
  }

  stop() {
    this.#intent = "stop"
    if (this.state === "paused" && !this.#socket) return this.#connect()
    this.pump()
  }

  // Sends a message of an extended protocol. Returns false, without sending it, unless the server receives audio now.
  send(message) {
    if (!this.#canSendAudio) return false
    this.#socket.send(message)
    return true
  }

  // Closes without notifying the server; what it has saved remains.
  close() {
    this.#closeSocket()
    clearInterval(this.#timer)
    this.#timer = null
  }

  // The network is available again, or the user asked to retry.
  retryNow() {
    if (this.#retryAt !== null) return this.#connect()
  }

  // The network changed, or the page was suspended: check the connection with a short timeout.
  probe() {
    this.#socket?.probe()
  }

  // Performs all due work. Called for each recorded frame, each message and by a timer.
  pump() {
    if (this.#retryAt !== null && this.#now() >= this.#retryAt) return this.#connect()
    this.#socket?.checkConnection()
    if (!this.#socket) return
    if (this.#canSendAudio) this.#sendAudio()
    this.#applyIntent()
  }

  get #canSendAudio() {
    return this.#socket?.isOpen && (this.state === "live" || this.state === "interrupted")
  }

  #sendAudio() {
    while (this.#cursor < this.ring.end && this.#hasSendCapacity) {
      const samples = this.ring.read(this.#cursor)
      this.#socket.sendAudio(samples)
      this.#cursor += samples.length
    }
  }

  get #hasSendCapacity() {
    return (
      this.#socket.bufferedAmount < MAX_BUFFERED_BYTES &&
      this.#cursor - this.processed < MAX_UNPROCESSED_SAMPLES &&
      this.#cursor - this.ring.start < MAX_UNSAVED_SAMPLES
    )
  }

  // Pausing and stopping wait until everything recorded before them has been sent.
  #applyIntent() {
    if (this.#intent === "run" || this.#cursor < this.ring.end) return
    if (this.#intent === "pause" && this.#canSendAudio) {
      this.#socket.send({ type: "pause", dropped: this.ring.dropped })
      this.#setState("pausing")
    } else if (this.#intent === "stop" && (this.#canSendAudio || this.state === "paused")) {
      this.#socket.send({ type: "stop", dropped: this.ring.dropped })
      this.#setState("stopping")
    }
  }

  #connect() {
    this.#closeSocket()
    const socket = new TicketSocket(this.#connection, {
      onOpen: () => socket.send({ type: "start", ...this.startOptions, session: this.session }),
      onMessage: (message) => this.#receive(message),
      onAudio: (data) => this.#emit("audio", new Int16Array(data)),
      onClose: (failure, code) => this.#onClose(failure, code),
    })
    this.#socket = socket
    this.#setState(this.#wasReady ? "reconnecting" : "connecting")
    return socket.open()
  }

  // A running session queues for a slot rather than being rejected.
  get startOptions() {
    return this.session ? { ...this.options, wait: true } : this.options
  }

  #receive(message) {
    const handle = this.#handlers[message.type]
    handle ? handle(message) : this.#emit("message", message)
    if (this.#socket) this.pump()
  }

  #handlers = {
    queued: ({ queue_position }) => {
      this.queuePosition = queue_position
      this.#setState("queued")
    },
    starting: ({ progress }) => {
      this.progress = progress
      this.#setState("starting")
    },
    ready: ({ session, position, words, engine, language, audio = false }) => {
      this.session = session
      this.#wasReady = true
      this.#cursor = this.processed = position
      this.ring.resumeFrom(position)
      this.#emit("ready", { words, engine, language, audio })
      this.#setState("live")
    },
    step: ({ sample, speech, pauses = [] }) => {
      this.processed = Math.max(this.processed, sample)
      // Not before the first step: a server that fails right after “ready” should not be retried twice a second.
      this.#backoff.reset()
      if (this.state === "interrupted") this.#setState("live")
      this.#emit("step", { sample, speech, pauses })
    },
    word: (word) => this.#emit("word", word),
    partial: (partial) => this.#emit("partial", partial),
    endpoint: (endpoint) => this.#emit("endpoint", endpoint),
    ack: ({ sample }) => {
      this.ring.discardBefore(sample)
      this.#emit("ack", { sample })
    },
    pong: ({ at }) => this.#emit("round-trip", this.#now() - at),
    unstored: () => this.#emit("unstored"),
    interrupted: ({ words }) => {
      this.#emit("interrupted", { words })
      if (this.#canSendAudio) this.#setState("interrupted")
    },
    paused: () => {
      this.#setState("paused")
      if (this.#intent === "run") this.resume()
    },
    done: ({ session, words }) => {
      this.#finish("done")
      this.#emit("done", { session, words })
    },
  }

  #onClose(failure, code) {
    if (failure.kind === "gone" && this.ring.start === 0) {
      this.session = null // the server received none of its audio, so it kept no session; the ring still has all of it
      return this.#connect()
    }
    const isTicketRateLimited = failure.kind === "rateLimited" && code === null
    const isTemporary = failure.kind === "full" || isTicketRateLimited
    // A new password or a logout in another tab ended it; this browser gets another ticket if it is still logged in.
    const hasLoginChanged = failure.kind === "ticket" && code !== null && this.state !== "connecting"
    if (failure.kind === "connection" || hasLoginChanged || (this.session && isTemporary)) this.#reconnectLater()
    else this.#fail(failure)
  }

  #reconnectLater() {
    this.#closeSocket()
    // A paused session needs no connection, which would occupy a slot.
    if (this.state === "paused" && this.#intent === "pause") return
    this.#retryAt = this.#now() + this.#backoff.next_ms()
    this.#setState("reconnecting")
  }

  #fail(failure) {
    this.#finish("failed")
    this.#emit("failed", failure)
  }

  #finish(state) {
    this.close()
    this.#setState(state)
  }

  #closeSocket() {
    this.#socket?.close()
    this.#retryAt = this.#socket = null
  }

  #setState(state) {
    this.state = state
    if (state !== "queued") this.queuePosition = null
    this.#emit("state", state)
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
