// Runs on the audio thread: takes the microphone at its native rate and posts 24 kHz frames with their level.

import { Framer } from "./framer.js"
import { Resampler } from "./resampler.js"
import { FRAME_SAMPLES, SAMPLE_RATE } from "./samples.js"

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, SAMPLE_RATE)
  #framer = new Framer(FRAME_SAMPLES)
  #mono = new Float32Array(128)
  #open = true

  constructor() {
    super()
    this.port.onmessage = ({ data }) => {
      if (data === "drain") this.#post({ ...this.#framer.flush(), last: true })
      if (data === "close") this.#open = false
    }
  }

  process([channels]) {
    // No channels: the source currently provides no audio, so session time does not advance.
    if (channels.length > 0) {
      const resampled = this.#resampler.process(this.#downmix(channels))
      this.#framer.push(resampled, (frame) => this.#post(frame))
    }
    return this.#open
  }

  // Safari has delivered blocks of lengths other than 128.
  #downmix(channels) {
    if (channels.length === 1) return channels[0]
    const length = channels[0].length
    if (this.#mono.length !== length) this.#mono = new Float32Array(length)
    for (let i = 0; i < length; i++) {
      let sum = 0
      for (const channel of channels) sum += channel[i]
      this.#mono[i] = sum / channels.length
    }
    return this.#mono
  }

  #post(frame) {
    this.port.postMessage(frame, [frame.samples.buffer])
  }
}

registerProcessor("capture", Capture)
