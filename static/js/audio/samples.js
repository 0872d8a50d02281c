// The format of all audio in the browser, 16-bit mono at 24 kHz, and arrays of its samples.

export const SAMPLE_RATE = 24000
export const FRAME_SAMPLES = 1920 // 80 ms

// Copies the parts one after the other into `whole`, an array of their total length, and returns it.
export function concatenate(parts, whole) {
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
