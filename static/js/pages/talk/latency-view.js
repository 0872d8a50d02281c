// How long replies took, for the latest turn and on average; the parts are behind a click.

import { make, partsOf } from "../../web/dom.js"

const PARTS = {
  transcription: "Transcription and end of turn",
  model: "Language model",
  synthesis: "Voice",
  network: "Network and playback",
}

export class LatencyView {
  #panel
  #parts
  #shown = null

  constructor({ panel }) {
    this.#panel = panel
    this.#parts = partsOf(panel)
  }

  show({ turns, last, mean }) {
    if (last === this.#shown) return
    this.#shown = last
    this.#panel.hidden = !last
    if (!last) return
    const average = turns.length > 1 ? ` · ${formatSeconds(mean)} on average` : ""
    this.#parts.summary.textContent = `Replied after ${formatSeconds(last.total)}${average}`
    this.#parts.parts.replaceChildren(...Object.entries(PARTS).map(([name, label]) => row(label, last.parts[name])))
  }
}

function row(label, seconds) {
  return make("div", "", make("dt", "", label), make("dd", "", seconds === null ? "–" : formatSeconds(seconds)))
}

function formatSeconds(seconds) {
  return `${seconds.toFixed(2)}\u00a0s`
}
