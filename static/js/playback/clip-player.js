// Plays one clip at a time. Emits `change` when it starts, advances, buffers or ends.

import { AudioOutput } from "./audio-output.js"
import { MIN_WAIT } from "./playout.js"

export class ClipPlayer extends EventTarget {
  clip = null
  state = "over" // waiting playing stopping over
  played = 0 // samples
  underruns = 0
  wait = MIN_WAIT // seconds; carried over from one clip to the next
  #output
  #node = null
  #subscription = null

  constructor(worklet) {
    super()
    this.#output = new AudioOutput(worklet)
  }

  // Output delay of a sample, in seconds.
  get latency() {
    return this.#output.latency
  }

  get isActive() {
    return this.state !== "over"
  }

  // Call it within a click or key handler: browsers allow no playback before one.
  prepare() {
    return this.#output.prepare()
  }

  // Plays a clip from its start; audio generated later follows as it arrives.
  async play(clip) {
    this.stop()
    await this.prepare()
    this.clip = clip
    this.played = this.underruns = 0
    const node = (this.#node = this.#output.connect(this.wait))
    node.port.onmessage = ({ data }) => this.#receive(node, data)
    this.#setState("waiting")

    this.#subscription = new AbortController()
    const { signal } = this.#subscription
    for (const samples of clip.chunks) node.port.postMessage(samples)
    clip.addEventListener("audio", ({ detail }) => node.port.postMessage(detail), { signal })
    if (clip.isOver) node.port.postMessage("end")
    else clip.addEventListener("over", () => node.port.postMessage("end"), { signal })
  }

  // Fades out and stops.
  stop() {
    this.#subscription?.abort()
    this.#node?.port.postMessage("stop")
    this.#node = null
    if (this.isActive) this.#setState("over")
  }

  #receive(node, { state, played, underruns, wait }) {
    if (state === "over") setTimeout(() => node.disconnect(), 100)
    if (node !== this.#node) return
    Object.assign(this, { played, underruns, wait })
    if (state === "over") this.#node = null
    this.#setState(state)
  }

  #setState(state) {
    this.state = state
    this.dispatchEvent(new CustomEvent("change"))
  }
}
