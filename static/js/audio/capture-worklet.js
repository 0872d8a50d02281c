// Runs on the audio thread: takes the microphone at its native rate and posts 24 kHz frames with their level.

import { Downmix } from "./downmix.js"
import { Framer } from "./framer.js"
import { Resampler } from "./resampler.js"
import { FRAME_SAMPLES, SAMPLE_RATE } from "./samples.js"

class Capture extends AudioWorkletProcessor {
  #downmix = new Downmix(sampleRate)
  #resampler = new Resampler(sampleRate, SAMPLE_RATE)
  #framer = new Framer(FRAME_SAMPLES)
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
      const resampled = this.#resampler.process(this.#downmix.process(channels))
      this.#framer.push(resampled, (frame) => this.#post(frame))
    }
    return this.#open
  }

  #post(frame) {
    this.port.postMessage(frame, [frame.samples.buffer])
  }
}

registerProcessor("capture", Capture)
