// One WebSocket that a ticket opens: JSON messages and binary audio in both directions, with a heartbeat. A ticket that
// the server refuses is requested once more.
//
// Unless the client calls `close`, it ends with one Failure: of kind "connection" if the connection was lost, otherwise
// with the server's reason. It does not reconnect; for that, open another one.

import { Failure } from "./failure.js"
import { Heartbeat } from "./heartbeat.js"

const CHECK_INTERVAL_MS = 1000
const NORMAL = 1000
const TICKET_REFUSED = 4001

export class TicketSocket {
  #connection
  #handlers
  #socket = null
  #heartbeat = null
  #timer = null
  #error = {} // the server's `error` message, until the close that follows it
  #mayRetryTicket = true
  #isClosed = false

  // connection: {requestTicket, socketUrl, WebSocket, now}: requestTicket() resolves with a ticket, or throws a Failure
  // where a retry would not help; socketUrl(ticket) -> the address; now() -> ms.
  // handlers: onOpen(), onMessage(object), onAudio(ArrayBuffer) and onClose(failure, code), where code is the close
  // code, or null without one: no ticket, or no sign of life from the server.
  constructor({ requestTicket, socketUrl, WebSocket, now }, { onOpen, onMessage, onAudio, onClose }) {
    this.#connection = {
      requestTicket,
      socketUrl,
      WebSocket: WebSocket ?? globalThis.WebSocket,
      now: now ?? (() => performance.now()),
    }
    this.#handlers = { onOpen, onMessage, onAudio, onClose }
  }

  // Resolves once the WebSocket is opening, or has failed.
  async open() {
    try {
      const ticket = await this.#connection.requestTicket()
      if (!this.#isClosed) this.#openSocket(ticket)
    } catch (error) {
      this.#end(error instanceof Failure ? error : new Failure("connection"))
    }
  }

  get isOpen() {
    return this.#socket?.readyState === this.#connection.WebSocket.OPEN
  }

  // Bytes that were sent, but not transmitted yet.
  get bufferedAmount() {
    return this.#socket?.bufferedAmount ?? 0
  }

  // Does nothing unless the WebSocket is open.
  send(message) {
    if (this.isOpen) this.#socket.send(JSON.stringify(message))
  }

  // samples: int16[n].
  sendAudio(samples) {
    if (this.isOpen) this.#socket.send(samples)
  }

  // Sends a ping when one is due, and ends a dead connection. Also called by a timer; call it with recorded frames,
  // too, since browsers throttle the timers of hidden tabs.
  checkConnection() {
    if (!this.#socket) return
    const now = this.#connection.now()
    if (this.#heartbeat.isDead(now)) this.#end(new Failure("connection", this.#error))
    else if (this.isOpen && this.#heartbeat.beat(now)) this.send({ type: "ping", at: now })
  }

  // The connection may be dead: pings now, with a short timeout.
  probe() {
    if (!this.isOpen) return
    const now = this.#connection.now()
    this.#heartbeat.probe(now)
    this.send({ type: "ping", at: now })
  }

  // Nothing is handled after this, not even a ticket that is on its way.
  close() {
    this.#isClosed = true
    clearInterval(this.#timer)
    const socket = this.#socket
    this.#socket = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close(NORMAL)
  }

  #openSocket(ticket) {
    const { socketUrl, WebSocket, now } = this.#connection
    const socket = new WebSocket(socketUrl(ticket))
    socket.binaryType = "arraybuffer"
    socket.onopen = () => this.#handlers.onOpen()
    socket.onmessage = ({ data }) => this.#receive(data)
    socket.onclose = ({ code }) => this.#onClose(code)
    this.#socket = socket
    this.#heartbeat = new Heartbeat(now())
    this.#timer ??= setInterval(() => this.checkConnection(), CHECK_INTERVAL_MS)
  }

  #receive(data) {
    this.#heartbeat.received()
    if (typeof data !== "string") return this.#handlers.onAudio(data)
    const message = JSON.parse(data)
    if (message.type === "error") {
      this.#error = message
      return
    }
    this.#mayRetryTicket = false // it was accepted
    this.#handlers.onMessage(message)
  }

  #onClose(code) {
    if (code === TICKET_REFUSED && this.#mayRetryTicket) {
      this.#mayRetryTicket = false
      this.#socket = null
      this.#error = {}
      return this.open()
    }
    this.#end(Failure.ofCloseCode(code, this.#error) ?? new Failure("connection", this.#error), code)
  }

  #end(failure, code = null) {
    if (this.#isClosed) return
    this.close()
    this.#handlers.onClose(failure, code)
  }
}
