// The microphone, or a tab's audio in its place, as a source of frames. Emits `frame` {samples, rms, peak, last},
// `interrupted`, `restored` and `ended`; `unanswered` while the browser has not opened it, and `stalled` while it is open
// but delivers nothing, both again every few seconds.

import { Failure } from "../../web/failure.js"
import { withDeadline } from "../deadline.js"
import { startContext } from "../start-context.js"
import { FrameWatch } from "./frame-watch.js"
import { audioFailure, microphoneFailure, missingSupport } from "./microphone-failure.js"
import { SHARED_AUDIO, requestSharedAudio } from "./shared-audio.js"

const DRAIN_TIMEOUT_MS = 300
const LOAD_TIMEOUT_MS = 8000
const ANSWER_INTERVAL_MS = 8000 // the user may be reading the browser's question

// For pages that play nothing, so that there is no echo. Noise suppression harms recognition more than noise does.
const TRANSCRIPTION = { echoCancellation: false, noiseSuppression: false, autoGainControl: true }

export class Microphone extends EventTarget {
  #worklet
  #constraints
  #context = null
  #stream = null
  #node = null
  #drained = null
  #watch = new FrameWatch(() => this.#emit("stalled"))

  // constraints: of the audio track.
  constructor(worklet, constraints = TRANSCRIPTION) {
    super()
    this.#worklet = worklet
    this.#constraints = constraints
  }

  get isOpen() {
    return this.#stream?.active ?? false
  }

  get deviceId() {
    return this.#stream?.getAudioTracks()[0]?.getSettings().deviceId ?? ""
  }

  // Call it within a click handler: iOS allows audio to start only there. Throws a Failure, unless it was closed
  // meanwhile.
  async open(deviceId) {
    let context = null
    try {
      const unsupported = missingSupport()
      if (unsupported) throw unsupported
      // At its native rate: Firefox refuses a microphone whose rate differs from the requested one.
      context = this.#context = new AudioContext({ latencyHint: "interactive" })
      // Load the worklet before opening the microphone, so that its first samples are captured.
      await Promise.all([startContext(context), this.#loadWorklet(context)])
      if (this.#context !== context) return
      const stream = await this.#request(deviceId, context)
      if (this.#context !== context) return
      this.#stream = stream
      this.#connect(context, stream)
    } catch (error) {
      if (context && this.#context !== context) return
      this.close()
      throw audioFailure(error)
    }
  }

  // Mutes the microphone without closing it, so that unmuting is immediate. Its frames are silent meanwhile.
  set muted(value) {
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !value
  }

  resume() {
    return this.#context?.resume()
  }

  // Resolves when everything recorded so far has been delivered.
  drain() {
    if (!this.#node || this.#context.state !== "running") return Promise.resolve()
    return new Promise((resolve) => {
      this.#drained = resolve
      setTimeout(resolve, DRAIN_TIMEOUT_MS)
      this.#node.port.postMessage("drain")
    })
  }

  close() {
    this.#watch.stop()
    if (this.#stream) release(this.#stream)
    this.#node?.port.postMessage("close")
    this.#node?.disconnect()
    if (this.#context) {
      this.#context.onstatechange = null
      this.#context.close()
    }
    this.#context = this.#stream = this.#node = null
  }

  // A stream that comes after the microphone was closed is released at once.
  #request(deviceId, context) {
    const isShared = deviceId === SHARED_AUDIO
    const requested = (isShared ? requestSharedAudio() : this.#requestMicrophone(deviceId)).then(
      (stream) => (this.#context === context ? stream : release(stream)),
      (error) => fail(microphoneFailure(error, isShared)),
    )
    return isShared ? requested : this.#untilAnswered(requested, context)
  }

  #requestMicrophone(deviceId) {
    const audio = deviceId ? { ...this.#constraints, deviceId: { ideal: deviceId } } : this.#constraints
    return navigator.mediaDevices.getUserMedia({ audio })
  }

  // Only a microphone that may be used without a question has to open within a time.
  async #untilAnswered(requested, context) {
    let giveUp
    const isGivenUp = new Promise((_, reject) => (giveUp = () => reject(new Failure("microphoneStuck"))))
    const timer = setInterval(async () => {
      if (globalThis.document?.hidden) return // browsers open it when the page is shown again
      const isAllowed = await isMicrophoneAllowed()
      if (this.#context !== context || this.#stream) return
      isAllowed ? giveUp() : this.#emit("unanswered")
    }, ANSWER_INTERVAL_MS)
    try {
      return await Promise.race([requested, isGivenUp])
    } finally {
      clearInterval(timer)
    }
  }

  async #loadWorklet(context) {
    const failure = new Failure("incomplete")
    try {
      await withDeadline(context.audioWorklet.addModule(this.#worklet), LOAD_TIMEOUT_MS, failure)
    } catch {
      throw failure
    }
  }

  #connect(context, stream) {
    const [track] = stream.getAudioTracks()
    track.addEventListener("ended", () => this.#emit("ended"))
    track.addEventListener("mute", () => this.#emit("interrupted"))
    track.addEventListener("unmute", () => this.#emit("restored"))
    context.onstatechange = () => this.#onStateChange(context)

    this.#node = new AudioWorkletNode(context, "capture", { outputChannelCount: [1] })
    this.#node.port.onmessage = ({ data }) => this.#deliver(data)
    this.#node.onprocessorerror = () => this.#emit("stalled")
    // The processor's output stays silent, but browsers only run nodes that are connected to the destination.
    context.createMediaStreamSource(stream).connect(this.#node).connect(context.destination)
    this.#watch.start()
  }

  #deliver(frame) {
    if (this.#watch.frame()) this.#emit("restored")
    if (frame.samples.length > 0) this.#emit("frame", frame)
    if (frame.last) this.#drained?.()
  }

  // iOS reports `interrupted` during a phone call or while the screen is locked.
  #onStateChange(context) {
    if (context.state === "running") return this.#emit("restored")
    this.#emit("interrupted")
    if (context.state === "suspended") context.resume().catch(() => {})
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}

// Microphones with a label; browsers reveal labels only after permission was granted once.
export function listMicrophones() {
  return listDevices("audioinput")
}

export function listLoudspeakers() {
  return listDevices("audiooutput")
}

async function listDevices(wanted) {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? []
  return devices.filter(({ kind, deviceId, label }) => kind === wanted && deviceId && label)
}

async function isMicrophoneAllowed() {
  try {
    return (await navigator.permissions.query({ name: "microphone" })).state === "granted"
  } catch {
    return false // a browser that doesn't say
  }
}

function fail(failure) {
  throw failure
}

function release(stream) {
  for (const track of stream.getTracks()) track.stop()
}
