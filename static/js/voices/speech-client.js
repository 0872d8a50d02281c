// Generates one clip over one WebSocket: sends text, receives audio and word times. The protocol is in docs/voices.md.

import { SAMPLE_RATE } from "../audio/samples.js"
import { TicketSocket } from "../web/ticket-socket.js"

const MAX_TEXT = 8000 // characters per message
const ACK_INTERVAL = SAMPLE_RATE / 2 // samples

export class SpeechClient {
  #clip
  #now
  #socket
  #acknowledged = 0

  // connection: {requestTicket, socketUrl, WebSocket} of a TicketSocket.
  constructor({ clip, now = () => performance.now(), ...connection }) {
    this.#clip = clip
    this.#now = now
    this.#socket = new TicketSocket(
      { ...connection, now },
      {
        onOpen: () => this.#start(),
        onMessage: (message) => this.#handlers[message.type]?.(message),
        onAudio: (data) => this.#receiveAudio(data),
        onClose: (failure) => this.#onClose(failure),
      },
    )
  }

  // Resolves once the WebSocket is opening; the clip reports progress and failures.
  async speak() {
    this.#clip.start(this.#now())
    await this.#socket.open()
  }

  // Stops immediately; audio that is still in transit is dropped.
  stop() {
    this.#socket.send({ type: "stop" })
    this.#socket.close()
    this.#clip.stop(this.#now())
  }

  #start() {
    const { text, speaker, controls } = this.#clip
    this.#socket.send({ type: "start", engine: speaker.engine, voice: speaker.voice, controls, wait: true })
    const characters = [...text] // split by code points, so that no message ends inside one
    for (let at = 0; at < characters.length; at += MAX_TEXT) {
      this.#socket.send({ type: "text", text: characters.slice(at, at + MAX_TEXT).join("") })
    }
    this.#socket.send({ type: "finish" })
  }

  #receiveAudio(data) {
    const samples = new Int16Array(data)
    this.#clip.addAudio(samples, this.#now())
    if (this.#clip.samples - this.#acknowledged < ACK_INTERVAL) return
    this.#acknowledged = this.#clip.samples
    this.#socket.send({ type: "ack", sample: this.#acknowledged })
  }

  #handlers = {
    queued: ({ queue_position }) => this.#clip.update({ queuePosition: queue_position }),
    synthesis_started: () => this.#clip.update({ queuePosition: null, isInterrupted: false }),
    spoken_word: ({ text, at, start, end }) => this.#clip.addWord({ text, at, start, end }),
    skipped: ({ text, at }) => this.#clip.update({ skipped: [...this.#clip.skipped, { text, at }] }),
    interrupted: () => this.#clip.update({ isInterrupted: true }),
    synthesis_done: () => this.#clip.finish(this.#now()),
  }

  #onClose(failure) {
    if (!this.#clip.isOver) this.#clip.fail(failure, this.#now())
  }
}
