// Level, elapsed time, latency and lag, each shown while it is meaningful.

import { clock } from "../../web/clock.js"

const MIN_LAG_S = 2
const MIN_DB = -60

export class StatsView {
  #elapsed
  #lag
  #latency
  #meter
  #bar
  #levelAnnouncedAt = 0

  constructor({ elapsed, lag, latency, meter }) {
    this.#elapsed = elapsed
    this.#lag = lag
    this.#latency = latency
    this.#meter = meter
    this.#bar = meter.firstElementChild
  }

  showLevel({ rms, peak }) {
    const share = Math.max(0, 1 - (20 * Math.log10(rms + 1e-6)) / MIN_DB)
    this.#bar.style.setProperty("--level", share.toFixed(3))
    this.#bar.classList.toggle("meter__level--clipping", peak >= 0.99)
    if (performance.now() - this.#levelAnnouncedAt < 1000) return
    this.#levelAnnouncedAt = performance.now()
    this.#meter.setAttribute("aria-valuenow", String(Math.round(share * 100)))
  }

  showTimes({ elapsed, lag, roundTrip, processing }) {
    this.#elapsed.textContent = clock(elapsed)
    this.#lag.hidden = lag < MIN_LAG_S
    this.#lag.textContent = `${Math.floor(lag)} s lag`
    const parts = [labeled("round\u00a0trip", roundTrip), labeled("processing", processing)].filter(Boolean)
    this.#latency.textContent = parts.join(" · ")
  }
}

function labeled(name, { median_ms }) {
  return median_ms === null ? "" : `${name}\u00a0${Math.round(median_ms)}\u00a0ms`
}
