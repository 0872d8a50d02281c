// Runs on the audio thread: speech at 24 kHz in, as it arrives; sound at the context's rate out.

import { Playout } from "./playout.js"

const TELL_EVERY = 0.04 // seconds

class Playback extends AudioWorkletProcessor {
  #playout
  #told = { state: "waiting", at: 0 }

  constructor({ processorOptions }) {
    super()
    this.#playout = new Playout(sampleRate, processorOptions.wait)
    this.port.onmessage = ({ data }) => {
      if (data === "end") this.#playout.end()
      else if (data === "stop") this.#playout.stop()
      else this.#playout.push(data)
    }
  }

  process(_, [channels]) {
    this.#playout.render(channels[0])
    for (const channel of channels.slice(1)) channel.set(channels[0])
    const { state, played, underruns, wait } = this.#playout
    if (state !== this.#told.state || currentTime - this.#told.at > TELL_EVERY) {
      this.#told = { state, at: currentTime }
      this.port.postMessage({ state, played, underruns, wait })
    }
    return state !== "over"
  }
}

registerProcessor("playback", Playback)
