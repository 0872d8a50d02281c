// One session's conversation with the server, over as many sockets as it takes.
//
// It sends what lies in the ring, in order, from the position that the server names; what the server has not stored
// stays in the ring, so a lost socket loses nothing. Tells `state`, `ready`, `step`, `word`, `partial`, `endpoint`,
// `ack`, `unstored`, `interrupted`, `round-trip`, `done` and `failed`. The protocol is in docs/browser-protocol.md.

import { SAMPLE_RATE } from "../audio/frame-ring.js"
import { Backoff } from "../web/backoff.js"
import { Failure } from "../web/failure.js"
import { Heartbeat } from "../web/heartbeat.js"

const MOST_BUFFERED_BYTES = 256 * 1024
const MOST_UNHEARD_SAMPLES = 10 * SAMPLE_RATE // after an outage the backlog goes out no faster than it is heard
const MOST_UNSTORED_SAMPLES = 60 * SAMPLE_RATE // what the server cannot store it need not hold, too
const TICK_MS = 250 // for the times when no audio calls `pump`
const NORMAL = 1000
const NO_SESSION = 4013

export class StreamClient extends EventTarget {
  state = "idle" // connecting starting queued live interrupted reconnecting pausing paused stopping done failed
  session // the id to come back with
  queuePosition = null
  progress = "" // what an engine does that is starting
  heard = 0 // the engine has heard everything before this sample
  #intent = "run" // run pause stop
  #cursor = 0 // the next sample to send
  #socket = null
  #attempt = 0 // tells a late answer to an earlier attempt from one to the newest
  #retryAt = null
  #hasRetriedTicket = false
  #told = null // the server's `error`, until the close that follows it
  #heartbeat = null
  #timer = null

  constructor({ ring, session = null, askTicket, socketUrl, options, WebSocket = globalThis.WebSocket, now, random }) {
    super()
    this.ring = ring
    this.session = session
    this.options = options // {engine, language, audio, endpointing, wait}
    this.askTicket = askTicket
    this.socketUrl = socketUrl
    this.WebSocket = WebSocket
    this.now = now ?? (() => performance.now())
    this.backoff = new Backoff(random)
  }

  // Also goes on after a failure, with the same session and what is left in the ring.
  open() {
    this.#timer ??= setInterval(() => this.pump(), TICK_MS)
    this.#intent = "run"
    this.#hasRetriedTicket = false
    this.backoff.reset()
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
    this.#say({ type: "resume" })
    this.#become("connecting")
  }

  stop() {
    this.#intent = "stop"
    if (this.state === "paused" && !this.#socket) return this.#connect()
    this.pump()
  }

  // Leaves without a goodbye; what the server has stored stays stored.
  close() {
    this.#hangUp()
    clearInterval(this.#timer)
    this.#timer = null
  }

  // The network is back, or the user is tired of waiting.
  retryNow() {
    if (this.#retryAt !== null) return this.#connect()
  }

  // The network changed, or the page slept: asks whether the other end is still there, and waits only a moment.
  doubt() {
    if (!this.#isOpen) return
    this.#heartbeat.doubt(this.now())
    this.#say({ type: "ping", at: this.now() })
  }

  // Does whatever is due. Called for each recorded frame, each message and each tick.
  pump() {
    const now = this.now()
    if (this.#retryAt !== null && now >= this.#retryAt) return this.#connect()
    if (!this.#socket) return
    if (this.#heartbeat.isDead(now)) return this.#lost()
    if (this.#isOpen && this.#heartbeat.beat(now)) this.#say({ type: "ping", at: now })
    if (this.#isSending) this.#send()
    this.#carryOutIntent()
  }

  get #isOpen() {
    return this.#socket?.readyState === this.WebSocket.OPEN
  }

  get #isSending() {
    return this.#isOpen && (this.state === "live" || this.state === "interrupted")
  }

  #send() {
    while (this.#cursor < this.ring.end && this.#mayTakeMore) {
      const samples = this.ring.read(this.#cursor)
      this.#socket.send(samples)
      this.#cursor += samples.length
    }
  }

  get #mayTakeMore() {
    return (
      this.#socket.bufferedAmount < MOST_BUFFERED_BYTES &&
      this.#cursor - this.heard < MOST_UNHEARD_SAMPLES &&
      this.#cursor - this.ring.start < MOST_UNSTORED_SAMPLES
    )
  }

  // Pausing and stopping come after everything that was recorded before them.
  #carryOutIntent() {
    if (this.#intent === "run" || this.#cursor < this.ring.end) return
    if (this.#intent === "pause" && this.#isSending) {
      this.#say({ type: "pause", dropped: this.ring.dropped })
      this.#become("pausing")
    } else if (this.#intent === "stop" && (this.#isSending || this.state === "paused")) {
      this.#say({ type: "stop", dropped: this.ring.dropped })
      this.#become("stopping")
    }
  }

  async #connect() {
    this.#hangUp()
    const attempt = this.#attempt
    this.#become(this.session ? "reconnecting" : "connecting")
    try {
      const ticket = await this.askTicket()
      if (attempt === this.#attempt) this.#openSocket(ticket)
    } catch (error) {
      if (attempt !== this.#attempt) return
      const isFinal = error instanceof Failure && !(error.kind === "rateLimited" && this.session)
      isFinal ? this.#fail(error) : this.#lost()
    }
  }

  #openSocket(ticket) {
    const socket = new this.WebSocket(this.socketUrl(ticket))
    socket.binaryType = "arraybuffer"
    this.#socket = socket
    this.#told = null
    this.#heartbeat = new Heartbeat(this.now())
    socket.onopen = () => this.#say({ type: "start", ...this.#startOptions, session: this.session })
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data))
    socket.onclose = ({ code }) => this.#closed(code)
  }

  // Somebody who is already talking would rather queue for a slot than be sent away.
  get #startOptions() {
    return this.session ? { ...this.options, wait: true } : this.options
  }

  #receive(message) {
    this.#heartbeat.heard()
    this.#handlers[message.type]?.(message)
    if (this.#socket) this.pump()
  }

  #handlers = {
    queued: ({ queue_position }) => {
      this.queuePosition = queue_position
      this.#become("queued")
    },
    starting: ({ progress }) => {
      this.progress = progress
      this.#become("starting")
    },
    ready: ({ session, position, words, engine, language, audio = false }) => {
      this.session = session
      this.#cursor = this.heard = position
      this.ring.goOnFrom(position)
      this.#tell("ready", { words, engine, language, audio })
      this.#become("live")
    },
    step: ({ sample, speech, pauses = [] }) => {
      this.heard = Math.max(this.heard, sample)
      // Only now: a server that says ready and falls over at once should not be asked twice a second.
      this.#hasRetriedTicket = false
      this.backoff.reset()
      if (this.state === "interrupted") this.#become("live")
      this.#tell("step", { sample, speech, pauses })
    },
    word: (word) => this.#tell("word", word),
    partial: (partial) => this.#tell("partial", partial),
    endpoint: (endpoint) => this.#tell("endpoint", endpoint),
    ack: ({ sample }) => {
      this.ring.forget(sample)
      this.#tell("ack", { sample })
    },
    pong: ({ at }) => this.#tell("round-trip", this.now() - at),
    unstored: () => this.#tell("unstored"),
    interrupted: ({ words }) => {
      this.#tell("interrupted", { words })
      if (this.#isSending) this.#become("interrupted")
    },
    paused: () => {
      this.#become("paused")
      if (this.#intent === "run") this.resume()
    },
    done: ({ session, words }) => {
      this.#finish("done")
      this.#tell("done", { session, words })
    },
    error: (told) => {
      this.#told = told
    },
  }

  #closed(code) {
    if (code === 4001 && !this.#hasRetriedTicket) {
      this.#hasRetriedTicket = true
      return this.#connect()
    }
    if (code === NO_SESSION && this.ring.start === 0) {
      this.session = null // nothing of it had come through, so the server kept none; all of it is still here
      return this.#connect()
    }
    const failure = Failure.ofCloseCode(code, this.#told ?? {})
    if (!failure || (failure.kind === "full" && this.session)) return this.#lost()
    this.#fail(failure)
  }

  #lost() {
    this.#hangUp()
    // A paused session needs no socket, and would take a slot with it.
    if (this.state === "paused" && this.#intent === "pause") return
    this.#retryAt = this.now() + this.backoff.next_ms()
    this.#become("reconnecting")
  }

  #fail(failure) {
    this.#finish("failed")
    this.#tell("failed", failure)
  }

  #finish(state) {
    this.close()
    this.#become(state)
  }

  #hangUp() {
    const socket = this.#socket
    this.#attempt += 1
    this.#retryAt = this.#socket = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close(NORMAL)
  }

  #say(message) {
    if (this.#isOpen) this.#socket.send(JSON.stringify(message))
  }

  #become(state) {
    this.state = state
    if (state !== "queued") this.queuePosition = null
    this.#tell("state", state)
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
