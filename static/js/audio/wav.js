// A WAV file of 16-bit mono samples.

import { SAMPLE_RATE } from "./samples.js"

const HEADER_BYTES = 44
const SAMPLE_BYTES = 2

// chunks: [int16[n], …], in order.
export function wavOf(chunks) {
  const bytes = chunks.reduce((sum, samples) => sum + samples.byteLength, 0)
  const header = new DataView(new ArrayBuffer(HEADER_BYTES))
  const write = (at, text) => [...text].forEach((character, i) => header.setUint8(at + i, character.charCodeAt(0)))
  write(0, "RIFF")
  header.setUint32(4, HEADER_BYTES - 8 + bytes, true)
  write(8, "WAVEfmt ")
  header.setUint32(16, 16, true) // size of the format chunk
  header.setUint16(20, 1, true) // PCM
  header.setUint16(22, 1, true) // one channel
  header.setUint32(24, SAMPLE_RATE, true)
  header.setUint32(28, SAMPLE_RATE * SAMPLE_BYTES, true)
  header.setUint16(32, SAMPLE_BYTES, true)
  header.setUint16(34, 8 * SAMPLE_BYTES, true)
  write(36, "data")
  header.setUint32(40, bytes, true)
  return new Blob([header, ...chunks], { type: "audio/wav" })
}
