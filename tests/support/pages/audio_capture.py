"""Captures the audio that a page plays, at the destination node of its audio graph."""

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Page

CAPTURE_SCRIPT = """
const Context = AudioContext
window.AudioContext = class extends Context {
  constructor() { super({ sampleRate: 24000 }) }
}
window.captured = []
const connect = AudioNode.prototype.connect
AudioNode.prototype.connect = function (target, ...rest) {
  if (target === this.context.destination && this instanceof AudioWorkletNode) capture(this)
  return connect.call(this, target, ...rest)
}
function capture(node) {
  const tap = new AudioWorkletNode(node.context, "capture-tap", { numberOfOutputs: 0 })
  window.clock = () => node.context.currentTime
  tap.port.onmessage = ({ data: { samples, at } }) => {
    window.captured.push(samples)
    if (samples.some((sample) => sample !== 0)) {
      window.firstAudioAt ??= at
      window.lastAudioAt = at
    }
  }
  connect.call(node, tap)
}
const addModule = AudioWorklet.prototype.addModule
AudioWorklet.prototype.addModule = async function (...module) {
  const processor = `registerProcessor("capture-tap", class extends AudioWorkletProcessor {
    process([[samples]]) {
      if (samples) this.port.postMessage({ samples: samples.slice(), at: currentTime })
      return true
    }
  })`
  await addModule.call(this, URL.createObjectURL(new Blob([processor], { type: "text/javascript" })))
  return addModule.apply(this, module)
}
"""
"""Captures the output of every playback node, at the speech's sample rate so that samples can be compared."""
FADE = 120
"""Samples at each end that the player fades."""


def played_audio(page: Page) -> npt.NDArray[np.int16]:
    """Return what the page played as int16[n], without leading and trailing silence."""
    samples = np.array(page.evaluate("captured.flatMap(block => [...block])"))
    loud = np.flatnonzero(samples)
    return np.round(samples[loud[0] : loud[-1] + 1] * 32768).astype(np.int16)
