// The microphone, or a tab's audio in its place, as a source of frames. Emits `frame` {samples, rms, peak, last},
// `interrupted`, `restored` and `ended`.

import { Failure } from "../web/failure.js"
import { microphoneFailure } from "./microphone-failure.js"
import { SHARED_AUDIO, requestSharedAudio } from "./shared-audio.js"

const DRAIN_TIMEOUT_MS = 300

// For pages that play nothing, so that there is no echo. Noise suppression harms recognition more than noise does.
const TRANSCRIPTION = { echoCancellation: false, noiseSuppression: false, autoGainControl: true }

export class Microphone extends EventTarget {
  #worklet
  #constraints
  #context = null
  #stream = null
  #node = null
  #drained = null

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

  // Call it within a click handler: iOS allows audio to start only there. Throws a Failure.
  async open(deviceId) {
    try {
      if (!navigator.mediaDevices || !globalThis.AudioWorkletNode) throw new DOMException("", "NotSupportedError")
      // At its native rate: Firefox refuses a microphone whose rate differs from the requested one.
      const context = (this.#context = new AudioContext({ latencyHint: "interactive" }))
      // Load the worklet before opening the microphone, so that its first samples are captured.
      await Promise.all([context.resume(), this.#loadWorklet(context)])
      if (this.#context !== context) return
      const stream = await (deviceId === SHARED_AUDIO ? requestSharedAudio() : this.#request(deviceId))
      if (this.#context !== context) return release(stream)
      this.#stream = stream
      this.#connect(context, stream)
    } catch (error) {
      this.close()
      throw microphoneFailure(error, deviceId === SHARED_AUDIO)
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
    if (this.#stream) release(this.#stream)
    this.#node?.port.postMessage("close")
    this.#node?.disconnect()
    if (this.#context) {
      this.#context.onstatechange = null
      this.#context.close()
    }
    this.#context = this.#stream = this.#node = null
  }

  #request(deviceId) {
    const audio = deviceId ? { ...this.#constraints, deviceId: { ideal: deviceId } } : this.#constraints
    return navigator.mediaDevices.getUserMedia({ audio })
  }

  async #loadWorklet(context) {
    try {
      await context.audioWorklet.addModule(this.#worklet)
    } catch {
      throw new Failure("incomplete")
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
    // The processor's output stays silent, but browsers only run nodes that are connected to the destination.
    context.createMediaStreamSource(stream).connect(this.#node).connect(context.destination)
  }

  #deliver(frame) {
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

function release(stream) {
  for (const track of stream.getTracks()) track.stop()
}
