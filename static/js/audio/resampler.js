// Windowed-sinc polyphase resampling of a mono stream that arrives in blocks of any size.
//
// The pass band reaches 0.45 of the lower of both rates and the stop band begins at one half of it, 80 dB down
// (Kaiser's formulas). Output k is due as soon as input floor(k * from / to) has arrived, so after n inputs exactly
// ceil(n * to / from) outputs exist; the price is a constant delay of half the filter, 2 ms.

const STOP_BAND_DB = 80
const PASS_EDGE = 0.45
const STOP_EDGE = 0.5

export class Resampler {
  #up
  #down
  #phases
  #taps
  #position = 0 // of the next output, in steps of 1 / #up input samples, from the next block's first sample
  #work
  #output = new Float32Array(0)

  constructor(from, to) {
    const common = greatestCommonDivisor(from, to)
    this.#up = to / common
    this.#down = from / common
    this.#phases = from === to ? [Float32Array.of(1)] : designPhases(from, to, this.#up)
    this.#taps = this.#phases[0].length
    this.#work = new Float32Array(this.#taps - 1)
  }

  // block: float32[n] at `from` Hz. Returns float32[m] at `to` Hz, valid until the next call.
  process(block) {
    const history = this.#taps - 1
    const end = block.length * this.#up
    const count = Math.max(0, Math.ceil((end - this.#position) / this.#down))
    this.#reserve(history + block.length, count)
    this.#work.set(block, history)

    for (let k = 0; k < count; k++) {
      const newest = history + Math.floor(this.#position / this.#up)
      this.#output[k] = dot(this.#phases[this.#position % this.#up], this.#work, newest)
      this.#position += this.#down
    }
    this.#position -= end
    this.#work.copyWithin(0, block.length, block.length + history)
    return this.#output.subarray(0, count)
  }

  #reserve(input, output) {
    if (this.#work.length < input) {
      const larger = new Float32Array(input)
      larger.set(this.#work.subarray(0, this.#taps - 1))
      this.#work = larger
    }
    if (this.#output.length < output) this.#output = new Float32Array(output)
  }
}

function dot(coefficients, samples, newest) {
  let sum = 0
  for (let j = 0; j < coefficients.length; j++) sum += coefficients[j] * samples[newest - j]
  return sum
}

// One filter for each of the `up` positions of an output between two inputs.
function designPhases(from, to, up) {
  const lower = Math.min(from, to) / from // the lower rate, in units of the input's
  const transition = 2 * Math.PI * (STOP_EDGE - PASS_EDGE) * lower
  const taps = Math.ceil((STOP_BAND_DB - 8) / (2.285 * transition)) + 1
  const cutoff = (STOP_EDGE + PASS_EDGE) * lower
  const beta = 0.1102 * (STOP_BAND_DB - 8.7)

  return Array.from({ length: up }, (_, phase) => {
    const filter = Float64Array.from({ length: taps }, (_, j) => {
      const time = j + phase / up - taps / 2
      return sinc(cutoff * time) * kaiser((2 * time) / taps, beta)
    })
    // Each phase passes a constant unchanged; otherwise their small differences would modulate the signal.
    const gain = filter.reduce((sum, value) => sum + value, 0)
    return Float32Array.from(filter, (value) => value / gain)
  })
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

function kaiser(x, beta) {
  return Math.abs(x) > 1 ? 0 : bessel(beta * Math.sqrt(1 - x * x)) / bessel(beta)
}

// The modified Bessel function of the first kind and order zero, by its power series.
function bessel(x) {
  let sum = 1
  let term = 1
  for (let n = 1; term > sum * 1e-12; n++) {
    term *= (x / (2 * n)) ** 2
    sum += term
  }
  return sum
}

function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
