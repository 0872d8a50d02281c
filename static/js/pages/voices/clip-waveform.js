// Draws the loudness of a clip over time, with the played part in the accent color.

import { SAMPLE_RATE } from "../../audio/samples.js"

const BAR_PX = 3 // including the gap
const MIN_SECONDS = 4 // duration that fills the width

export function drawClipWaveform(canvas, clip, played) {
  const { clientWidth: width, clientHeight: height } = canvas
  if (!width) return
  const scale = devicePixelRatio
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale)
    canvas.height = Math.round(height * scale)
  }
  const { color: playedColor, borderTopColor: unplayedColor } = getComputedStyle(canvas)
  const context = canvas.getContext("2d")
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, width, height)
  const seconds = Math.max(MIN_SECONDS, clip.seconds)
  const bars = Math.floor(width / BAR_PX)
  for (let bar = 0; bar < bars; bar++) {
    const first = Math.floor((bar / bars) * seconds * 50)
    const last = Math.max(first + 1, Math.floor(((bar + 1) / bars) * seconds * 50))
    if (first >= clip.peaks.length) break
    let peak = 0
    for (let i = first; i < Math.min(last, clip.peaks.length); i++) peak = Math.max(peak, clip.peaks[i])
    const length = Math.max(1.5, Math.sqrt(peak) * (height - 4))
    context.fillStyle = (bar / bars) * seconds * SAMPLE_RATE < played ? playedColor : unplayedColor
    context.fillRect(bar * BAR_PX, (height - length) / 2, BAR_PX - 1, length)
  }
}
