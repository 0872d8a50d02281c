// The loudness of a take over its time, the part that was played in the accent's colour.

import { RATE } from "../../audio/playout.js"

const BAR = 3 // CSS pixels, gap and all
const SHORTEST = 4 // seconds that fill the width

export function drawWaveform(canvas, take, played) {
  const { clientWidth: width, clientHeight: height } = canvas
  if (!width) return
  const scale = devicePixelRatio
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale)
    canvas.height = Math.round(height * scale)
  }
  const { color: heard, borderTopColor: unheard } = getComputedStyle(canvas) // resolved, which a canvas needs
  const brush = canvas.getContext("2d")
  brush.setTransform(scale, 0, 0, scale, 0, 0)
  brush.clearRect(0, 0, width, height)
  const seconds = Math.max(SHORTEST, take.seconds)
  const bars = Math.floor(width / BAR)
  for (let bar = 0; bar < bars; bar++) {
    const first = Math.floor((bar / bars) * seconds * 50)
    const last = Math.max(first + 1, Math.floor(((bar + 1) / bars) * seconds * 50))
    if (first >= take.peaks.length) break
    let peak = 0
    for (let i = first; i < Math.min(last, take.peaks.length); i++) peak = Math.max(peak, take.peaks[i])
    const length = Math.max(1.5, Math.sqrt(peak) * (height - 4))
    brush.fillStyle = (bar / bars) * seconds * RATE < played ? heard : unheard
    brush.fillRect(bar * BAR, (height - length) / 2, BAR - 1, length)
  }
}
