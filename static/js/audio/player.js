// Plays one take at a time: `change` whenever it begins, has come further, waits for more, or is over.

import { Failure } from "../web/failure.js"
import { SHORTEST_WAIT } from "./playout.js"

export class Player extends EventTarget {
  take = null
  state = "over" // waiting playing stopping over
  played = 0 // samples
  underruns = 0
  wait = SHORTEST_WAIT // seconds; what a take taught, the next one begins with
  #worklet
  #context = null
  #node = null
  #listening = null

  constructor(worklet) {
    super()
    this.#worklet = worklet
  }

  // Seconds from a sample's leaving here until it is heard.
  get latency() {
    return this.#context?.outputLatency || this.#context?.baseLatency || 0
  }

  get isActive() {
    return this.state !== "over"
  }

  // To be called while a click or key is handled: browsers let nothing sound before one.
  async prepare() {
    this.#context ??= new AudioContext({ latencyHint: "interactive" })
    await this.#context.resume()
    this.#loaded ??= this.#context.audioWorklet.addModule(this.#worklet).catch((error) => {
      this.#loaded = null
      throw new Failure("incomplete", { why: error.message })
    })
    await this.#loaded
  }

  #loaded = null

  // From its beginning, as far as it is made; what is made later follows.
  async play(take) {
    this.stop()
    await this.prepare()
    this.take = take
    this.played = this.underruns = 0
    const node = new AudioWorkletNode(this.#context, "playback", {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: { wait: this.wait },
    })
    this.#node = node
    node.port.onmessage = ({ data }) => this.#hear(node, data)
    node.connect(this.#context.destination)
    this.#become("waiting")

    this.#listening = new AbortController()
    const { signal } = this.#listening
    for (const samples of take.chunks) node.port.postMessage(samples)
    take.addEventListener("audio", ({ detail }) => node.port.postMessage(detail), { signal })
    if (take.isOver) node.port.postMessage("end")
    else take.addEventListener("over", () => node.port.postMessage("end"), { signal })
  }

  // Silent within the length of a fade.
  stop() {
    this.#listening?.abort()
    this.#node?.port.postMessage("stop")
    this.#node = null
    if (this.isActive) this.#become("over")
  }

  #hear(node, { state, played, underruns, wait }) {
    if (state === "over") setTimeout(() => node.disconnect(), 100)
    if (node !== this.#node) return
    Object.assign(this, { played, underruns, wait })
    if (state === "over") this.#node = null
    this.#become(state)
  }

  #become(state) {
    this.state = state
    this.dispatchEvent(new CustomEvent("change"))
  }
}
