// One file on its way to the server, and its processing there. Calls `changed` whenever its status changes.

import { Backoff } from "../web/backoff.js"
import { FileHash } from "./file-hash.js"
import { UploadRejected } from "./server.js"

const POLL_INTERVAL_MS = 1000
const UNWATCHED_STATES = ["done", "failed", "truncated", "uploading", "unfinished"]

export class Upload {
  // The server's status. `state` is one of uploading, waiting, checking, transcribing, truncated, failed and done, and
  // in the browser also queued (others are sent first), interrupted (the server is unavailable), elsewhere (another page
  // is sending it) and unfinished (no page has the file).
  status
  #server
  #file
  #hash
  #pageId
  #partSize
  #changed
  #wait
  #cancellation = new AbortController()
  #isWatching = false

  constructor({ server, status, file = null, pageId, partSize, changed, wait = pause }) {
    this.#server = server
    this.#file = file
    this.#hash = file && new FileHash(file)
    this.#pageId = pageId
    this.#partSize = partSize
    this.#changed = changed
    this.#wait = wait
    this.status = this.#stated(status)
  }

  get isCanceled() {
    return this.#cancellation.signal.aborted
  }

  get isSending() {
    return ["queued", "uploading", "interrupted"].includes(this.status.state)
  }

  // Creates the upload, sends what the server lacks of the file, with retries, and then watches its processing.
  async send(options) {
    const backoff = new Backoff()
    while (!this.isCanceled && this.isSending) {
      try {
        if (this.status.id) await this.#sendPart()
        else await this.#create(options)
        backoff.reset()
      } catch (error) {
        if (this.isCanceled) return
        if (error instanceof UploadRejected) return this.#fail(error)
        this.#update({ ...this.status, state: "interrupted" })
        await this.#wait(backoff.next_ms() + POLL_INTERVAL_MS)
      }
    }
    this.watch()
  }

  async #create(options) {
    const { name, size } = this.#file
    const fingerprint = await this.#hash.fingerprint()
    const status = await this.#server.create({ name, size, fingerprint, client: this.#pageId, ...options })
    if (this.isCanceled) await this.#server.remove(status.id)
    else this.#update(status)
  }

  async #sendPart() {
    const { id, received } = this.status
    const part = this.#file.slice(received, received + this.#partSize)
    const sha256 = await this.#hash.addUpTo(received + part.size)
    this.#update(await this.#server.sendPart(id, received, part, sha256, this.#cancellation.signal))
  }

  // Polls the status until the server has finished or needs the user.
  async watch() {
    if (this.#isWatching) return
    this.#isWatching = true
    while (!this.isCanceled && !UNWATCHED_STATES.includes(this.status.state)) {
      await this.#wait(POLL_INTERVAL_MS)
      try {
        if (!this.isCanceled) this.#update(await this.#server.status(this.status.id))
      } catch (error) {
        if (error instanceof UploadRejected) this.#fail(error)
      }
    }
    this.#isWatching = false
  }

  async acceptTruncated() {
    this.#update(await this.#server.acceptTruncated(this.status.id))
    this.watch()
  }

  // Removes the upload from the server; the session of a finished one remains.
  async cancel() {
    this.#cancellation.abort()
    if (this.status.id) {
      await this.#server.remove(this.status.id).catch((error) => {
        if (!(error instanceof UploadRejected)) throw error
      })
    }
  }

  #fail({ problem }) {
    this.#update({ ...this.status, state: "failed", problem })
  }

  #update(status) {
    if (this.isCanceled) return
    this.status = this.#stated(status)
    this.#changed(this)
  }

  #stated(status) {
    if (this.#file || status.state !== "uploading") return status
    const isElsewhere = status.is_sending && status.client !== this.#pageId
    return { ...status, state: isElsewhere ? "elsewhere" : "unfinished" }
  }
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms))
}
