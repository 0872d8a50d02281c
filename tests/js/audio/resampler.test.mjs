import assert from "node:assert/strict"
import { test } from "node:test"

import { Resampler } from "../../../static/js/audio/resampler.js"

const TO = 24000
const RATES = [8000, 16000, 22050, 24000, 44100, 48000, 96000]
const ODD_BLOCKS = [128, 1, 441, 960, 37, 128, 4096, 3]

for (const rate of RATES) {
  test(`${rate} Hz keeps a tone within 0.1 dB`, () => {
    for (const share of [0.02, 0.2, 0.4, 0.44]) {
      const frequency = share * Math.min(rate, TO)
      const decibels = 20 * Math.log10(amplitude(resample(sine(frequency, rate), rate), frequency))
      assert.ok(Math.abs(decibels) < 0.1, `${frequency} Hz came out at ${decibels} dB`)
    }
  })

  test(`${rate} Hz has the exact output count after every block`, () => {
    const resampler = new Resampler(rate, TO)
    let inputs = 0
    let outputs = 0
    for (let round = 0; round < 50; round++) {
      const block = new Float32Array(ODD_BLOCKS[round % ODD_BLOCKS.length])
      inputs += block.length
      outputs += resampler.process(block).length
      assert.equal(outputs, Math.ceil((inputs * TO) / rate))
    }
  })

  test(`${rate} Hz gives the same output for blocks of any size`, () => {
    const signal = sine(440, rate)
    const atOnce = resample(signal, rate)
    assert.deepEqual(resample(signal, rate, ODD_BLOCKS), atOnce)
  })
}

for (const rate of [44100, 48000, 96000]) {
  test(`${rate} Hz has no aliasing from above 12 kHz`, () => {
    for (const frequency of [12100, 13000, 15000, 18000, 21000]) {
      const decibels = 20 * Math.log10(loudest(resample(sine(frequency, rate), rate)))
      assert.ok(decibels < -60, `${frequency} Hz is left at ${decibels} dB`)
    }
  })
}

for (const rate of [8000, 16000, 22050]) {
  test(`${rate} Hz has no images above its Nyquist frequency`, () => {
    const frequency = rate * 0.3
    const image = 20 * Math.log10(amplitude(resample(sine(frequency, rate), rate), rate - frequency))
    assert.ok(image < -60, `the image is at ${image} dB`)
  })
}

function sine(frequency, rate, seconds = 0.5) {
  return Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * frequency * i) / rate))
}

function resample(signal, rate, blocks = [signal.length]) {
  const resampler = new Resampler(rate, TO)
  const output = []
  for (let at = 0, turn = 0; at < signal.length; turn++) {
    const end = at + blocks[turn % blocks.length]
    output.push(...resampler.process(signal.subarray(at, end)))
    at = end
  }
  return output
}

// Both skip the filter's settling at the start.
function amplitude(samples, frequency) {
  const settled = samples.slice(1000)
  let [real, imaginary, weights] = [0, 0, 0]
  settled.forEach((value, i) => {
    const weight = 1 - Math.cos((2 * Math.PI * (i + 0.5)) / settled.length)
    const angle = (2 * Math.PI * frequency * i) / TO
    real += weight * value * Math.cos(angle)
    imaginary += weight * value * Math.sin(angle)
    weights += weight
  })
  return (2 * Math.hypot(real, imaginary)) / weights
}

function loudest(samples) {
  return Math.max(...samples.slice(1000).map(Math.abs))
}
