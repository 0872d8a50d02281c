// The microphone, or the sound of a tab in its place, as a source of frames: `frame` {samples, rms, peak, last}, `interrupted`, `restored`, `ended`.

import { Failure } from "../web/failure.js"
import { microphoneFailure } from "./microphone-failure.js"
import { SHARED_SOUND, askForSharedSound } from "./shared-sound.js"

const DRAIN_TIMEOUT_MS = 300

export class Microphone extends EventTarget {
  #worklet
  #context = null
  #stream = null
  #node = null
  #drained = null

  constructor(worklet) {
    super()
    this.#worklet = worklet
  }

  get isOpen() {
    return this.#stream?.active ?? false
  }

  get deviceId() {
    return this.#stream?.getAudioTracks()[0]?.getSettings().deviceId ?? ""
  }

  // Call it within a click: iOS lets audio begin only there. Throws a failure.
  async open(deviceId) {
    try {
      if (!navigator.mediaDevices || !globalThis.AudioWorkletNode) throw new DOMException("", "NotSupportedError")
      // At its native rate: Firefox refuses a microphone whose rate differs from one that was asked for.
      const context = (this.#context = new AudioContext({ latencyHint: "interactive" }))
      // Before the microphone, all of whose sound is heard then, from the first moment on.
      await Promise.all([context.resume(), this.#loadWorklet(context)])
      if (this.#context !== context) return
      const stream = await (deviceId === SHARED_SOUND ? askForSharedSound() : ask(deviceId))
      if (this.#context !== context) return release(stream)
      this.#stream = stream
      this.#listen(context, stream)
    } catch (error) {
      this.close()
      throw microphoneFailure(error, deviceId === SHARED_SOUND)
    }
  }

  // Silences the microphone without giving it back, so that a later word is not late.
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

  async #loadWorklet(context) {
    try {
      await context.audioWorklet.addModule(this.#worklet)
    } catch {
      throw new Failure("incomplete")
    }
  }

  #listen(context, stream) {
    const [track] = stream.getAudioTracks()
    track.addEventListener("ended", () => this.#tell("ended"))
    track.addEventListener("mute", () => this.#tell("interrupted"))
    track.addEventListener("unmute", () => this.#tell("restored"))
    context.onstatechange = () => this.#stateChanged(context)

    this.#node = new AudioWorkletNode(context, "capture", { outputChannelCount: [1] })
    this.#node.port.onmessage = ({ data }) => this.#deliver(data)
    // The processor writes nothing to its output; browsers run only what leads to the loudspeaker.
    context.createMediaStreamSource(stream).connect(this.#node).connect(context.destination)
  }

  #deliver(frame) {
    if (frame.samples.length > 0) this.#tell("frame", frame)
    if (frame.last) this.#drained?.()
  }

  // `interrupted` is what iOS says during a phone call or with the screen locked.
  #stateChanged(context) {
    if (context.state === "running") return this.#tell("restored")
    this.#tell("interrupted")
    if (context.state === "suspended") context.resume().catch(() => {})
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}

// Those that can be named; before the first permission browsers name none.
export async function listMicrophones() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? []
  return devices.filter(({ kind, deviceId, label }) => kind === "audioinput" && deviceId && label)
}

function ask(deviceId) {
  // Nothing is played here, so there is no echo, and noise suppression costs recognisers more than noise does.
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: true }
  if (deviceId) audio.deviceId = { ideal: deviceId }
  return navigator.mediaDevices.getUserMedia({ audio })
}

function release(stream) {
  for (const track of stream.getTracks()) track.stop()
}
