// The loudspeaker, with the worklet that plays speech while it arrives.

import { startContext } from "../audio/start-context.js"
import { Failure } from "../web/failure.js"

export class AudioOutput {
  #worklet
  #context = null
  #loaded = null
  #deviceId = ""

  constructor(worklet) {
    this.#worklet = worklet
  }

  // Output delay of a sample, in seconds.
  get latency() {
    return this.#context?.outputLatency || this.#context?.baseLatency || 0
  }

  // Call it within a click or key handler: browsers allow no playback before one. Throws a Failure.
  async prepare() {
    this.#context ??= this.#createContext()
    await startContext(this.#context)
    this.#loaded ??= this.#context.audioWorklet.addModule(this.#worklet).catch((error) => {
      this.#loaded = null
      throw new Failure("incomplete", { why: error.message })
    })
    await this.#loaded
  }

  // A new playback node. `wait`: seconds to buffer before it starts.
  connect(wait) {
    const node = new AudioWorkletNode(this.#context, "playback", {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: { wait },
    })
    node.connect(this.#context.destination)
    return node
  }

  // The empty ID is the default loudspeaker. One that is gone leaves the default.
  set deviceId(id) {
    this.#deviceId = id
    if (canChooseLoudspeaker()) this.#context?.setSinkId(id).catch(() => {})
  }

  #createContext() {
    const context = new AudioContext({ latencyHint: "interactive" })
    if (this.#deviceId && canChooseLoudspeaker()) context.setSinkId(this.#deviceId).catch(() => {})
    return context
  }
}

export function canChooseLoudspeaker() {
  return "setSinkId" in (globalThis.AudioContext?.prototype ?? {})
}
