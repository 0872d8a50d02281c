// Level, elapsed time, latency and lag: small figures, shown while they mean something.

import { clock } from "../../web/clock.js"

const LAG_SHOWN_S = 2
const QUIETEST_DB = -60

export class FiguresView {
  #elapsed
  #lag
  #latency
  #meter
  #bar
  #levelToldAt = 0

  constructor({ elapsed, lag, latency, meter }) {
    this.#elapsed = elapsed
    this.#lag = lag
    this.#latency = latency
    this.#meter = meter
    this.#bar = meter.firstElementChild
  }

  showLevel({ rms, peak }) {
    const share = Math.max(0, 1 - (20 * Math.log10(rms + 1e-6)) / QUIETEST_DB)
    this.#bar.style.setProperty("--level", share.toFixed(3))
    this.#bar.classList.toggle("meter__level--clipping", peak >= 0.99)
    if (performance.now() - this.#levelToldAt < 1000) return
    this.#levelToldAt = performance.now()
    this.#meter.setAttribute("aria-valuenow", String(Math.round(share * 100)))
  }

  showTimes({ elapsed, lag, roundTrip, processing }) {
    this.#elapsed.textContent = clock(elapsed)
    this.#lag.hidden = lag < LAG_SHOWN_S
    this.#lag.textContent = `${Math.floor(lag)} s behind`
    const parts = [named("round\u00a0trip", roundTrip), named("processing", processing)].filter(Boolean)
    this.#latency.textContent = parts.join(" · ")
  }
}

function named(name, { median_ms }) {
  return median_ms === null ? "" : `${name}\u00a0${Math.round(median_ms)}\u00a0ms`
}
