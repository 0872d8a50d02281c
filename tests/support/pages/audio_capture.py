"""What a page plays, caught where it gives the sound to the loudspeaker."""

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Page

# Every playback node's output, at the speech's own rate so that it can be compared sample by sample.
EAR = """
const Context = AudioContext
window.AudioContext = class extends Context {
  constructor() { super({ sampleRate: 24000 }) }
}
window.heard = []
const connect = AudioNode.prototype.connect
AudioNode.prototype.connect = function (target, ...rest) {
  if (target === this.context.destination && this instanceof AudioWorkletNode) listen(this)
  return connect.call(this, target, ...rest)
}
function listen(node) {
  const ear = new AudioWorkletNode(node.context, "ear", { numberOfOutputs: 0 })
  window.clock = () => node.context.currentTime
  ear.port.onmessage = ({ data: { samples, at } }) => {
    window.heard.push(samples)
    if (samples.some((sample) => sample !== 0)) {
      window.firstSoundAt ??= at
      window.lastSoundAt = at
    }
  }
  connect.call(node, ear)
}
const addModule = AudioWorklet.prototype.addModule
AudioWorklet.prototype.addModule = async function (...module) {
  const ear = `registerProcessor("ear", class extends AudioWorkletProcessor {
    process([[samples]]) {
      if (samples) this.port.postMessage({ samples: samples.slice(), at: currentTime })
      return true
    }
  })`
  await addModule.call(this, URL.createObjectURL(new Blob([ear], { type: "text/javascript" })))
  return addModule.apply(this, module)
}
"""
FADE = 120
"""Samples at each end that the player softens."""


def played(page: Page) -> npt.NDArray[np.int16]:
    """int16[n], without the silence before and after."""
    samples = np.array(page.evaluate("heard.flatMap(block => [...block])"))
    loud = np.flatnonzero(samples)
    return np.round(samples[loud[0] : loud[-1] + 1] * 32768).astype(np.int16)
