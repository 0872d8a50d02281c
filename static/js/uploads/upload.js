// One file on its way to the server and what becomes of it there. Tells `changed` whenever it is something else.

import { Backoff } from "../web/backoff.js"
import { Refused } from "./server.js"

const LOOKS_EVERY_MS = 1000
const RESTING = ["done", "refused", "cut", "sending"]

export class Upload {
  // Told by the server; `state` is one of sending, waiting, checking, transcribing, cut, refused, done, and here also
  // “queued” (others are sent first), “interrupted” (the server is away) and “unfinished” (its file is no longer at hand).
  told
  #server
  #file
  #piece
  #changed
  #wait
  #cancelling = new AbortController()
  #watching = false

  constructor({ server, told, file = null, piece, changed, wait = pause }) {
    this.#server = server
    this.#file = file
    this.#piece = piece
    this.#changed = changed
    this.#wait = wait
    this.told = told
    if (!file && told.state === "sending") this.told = { ...told, state: "unfinished" }
  }

  get isOver() {
    return this.#cancelling.signal.aborted
  }

  get isSending() {
    return ["queued", "sending", "interrupted"].includes(this.told.state)
  }

  // Announce the file and send what the server lacks of it, however often the connection breaks; then watch.
  async send(wishes) {
    const backoff = new Backoff()
    while (!this.isOver && this.isSending) {
      try {
        if (this.told.id) await this.#sendPiece()
        else await this.#announce(wishes)
        backoff.reset()
      } catch (error) {
        if (this.isOver) return
        if (error instanceof Refused) return this.#take({ ...this.told, state: "refused", problem: error.problem })
        this.#take({ ...this.told, state: "interrupted" })
        await this.#wait(backoff.next_ms() + LOOKS_EVERY_MS)
      }
    }
    this.watch()
  }

  async #announce(wishes) {
    const { name, size } = this.#file
    const told = await this.#server.announce({ name, size, ...wishes })
    if (this.isOver) await this.#server.forget(told.id)
    else this.#take(told)
  }

  async #sendPiece() {
    const { id, received } = this.told
    const piece = this.#file.slice(received, received + this.#piece)
    this.#take(await this.#server.send(id, received, piece, this.#cancelling.signal))
  }

  // Look how far it is until it is somewhere to stay.
  async watch() {
    if (this.#watching) return
    this.#watching = true
    while (!this.isOver && !RESTING.includes(this.told.state) && this.told.state !== "unfinished") {
      await this.#wait(LOOKS_EVERY_MS)
      try {
        if (!this.isOver) this.#take(await this.#server.look(this.told.id))
      } catch (error) {
        if (error instanceof Refused) this.#take({ ...this.told, state: "refused", problem: error.problem })
      }
    }
    this.#watching = false
  }

  async takeWhatIsThere() {
    this.#take(await this.#server.takeWhatIsThere(this.told.id))
    this.watch()
  }

  // Nothing is left of it on the server, but for the session of one that is done.
  async forget() {
    this.#cancelling.abort()
    if (this.told.id) {
      await this.#server.forget(this.told.id).catch((error) => {
        if (!(error instanceof Refused)) throw error
      })
    }
  }

  #take(told) {
    if (this.isOver) return
    this.told = told
    this.#changed(this)
  }
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms))
}
