// Runs on the audio thread: receives 24 kHz speech as it arrives and plays it at the context's rate.

import { Playout } from "./playout.js"

const REPORT_INTERVAL = 0.04 // seconds
const COMMANDS = ["end", "pause", "resume", "stop"]

class Playback extends AudioWorkletProcessor {
  #playout
  #reported = { state: "waiting", at: 0 }

  constructor({ processorOptions }) {
    super()
    this.#playout = new Playout(sampleRate, processorOptions.wait)
    this.port.onmessage = ({ data }) => {
      if (COMMANDS.includes(data)) this.#playout[data]()
      else this.#playout.push(data)
    }
  }

  process(_, [channels]) {
    this.#playout.render(channels[0])
    for (const channel of channels.slice(1)) channel.set(channels[0])
    const { state, played, underruns, wait } = this.#playout
    if (state !== this.#reported.state || currentTime - this.#reported.at > REPORT_INTERVAL) {
      this.#reported = { state, at: currentTime }
      this.port.postMessage({ state, played, underruns, wait })
    }
    return state !== "over"
  }
}

registerProcessor("playback", Playback)
