// SHA-256 of data that arrives in parts. The browser's own digest needs all data at once, and a page from HTTPS.

const BLOCK = 64 // bytes
const ROUNDS = new Uint32Array(64)
const START = new Uint32Array(8)

// The first 32 bits of the fractional parts: of the cube roots of the first 64 primes, and the square roots of the first 8.
for (let number = 2, count = 0; count < 64; number += 1) {
  if (!isPrime(number)) continue
  if (count < 8) START[count] = fractionalBits(Math.sqrt(number))
  ROUNDS[count] = fractionalBits(Math.cbrt(number))
  count += 1
}

export class Sha256 {
  #state = START.slice()
  #words = new Uint32Array(64)
  #rest = new Uint8Array(BLOCK) // what is left of the parts, less than a block
  #left = 0
  #length = 0 // bytes

  // bytes: Uint8Array
  update(bytes) {
    this.#length += bytes.length
    let start = 0
    if (this.#left > 0) {
      start = Math.min(BLOCK - this.#left, bytes.length)
      this.#rest.set(bytes.subarray(0, start), this.#left)
      this.#left += start
      if (this.#left < BLOCK) return this
      this.#add(this.#rest, 0)
    }
    for (; start + BLOCK <= bytes.length; start += BLOCK) this.#add(bytes, start)
    this.#rest.set(bytes.subarray(start))
    this.#left = bytes.length - start
    return this
  }

  // In hexadecimal. Nothing can be added afterwards.
  digest() {
    const bits = this.#length * 8
    const padding = new Uint8Array(((this.#left < 56 ? 56 : 120) - this.#left) + 8)
    padding[0] = 0x80
    const view = new DataView(padding.buffer)
    view.setUint32(padding.length - 8, Math.floor(bits / 2 ** 32))
    view.setUint32(padding.length - 4, bits)
    this.update(padding)
    return [...this.#state].map((word) => word.toString(16).padStart(8, "0")).join("")
  }

  #add(bytes, start) {
    const words = this.#words
    const state = this.#state
    for (let i = 0, at = start; i < 16; i += 1, at += 4) {
      words[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
    }
    for (let i = 16; i < 64; i += 1) {
      const early = words[i - 15]
      const late = words[i - 2]
      const s0 = ((early >>> 7) | (early << 25)) ^ ((early >>> 18) | (early << 14)) ^ (early >>> 3)
      const s1 = ((late >>> 17) | (late << 15)) ^ ((late >>> 19) | (late << 13)) ^ (late >>> 10)
      words[i] = words[i - 16] + s0 + words[i - 7] + s1
    }
    let a = state[0] | 0
    let b = state[1] | 0
    let c = state[2] | 0
    let d = state[3] | 0
    let e = state[4] | 0
    let f = state[5] | 0
    let g = state[6] | 0
    let h = state[7] | 0
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
      const one = (h + s1 + ((e & f) ^ (~e & g)) + ROUNDS[i] + words[i]) | 0
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
      const other = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
      h = g
      g = f
      f = e
      e = (d + one) | 0
      d = c
      c = b
      b = a
      a = (one + other) | 0
    }
    state[0] += a
    state[1] += b
    state[2] += c
    state[3] += d
    state[4] += e
    state[5] += f
    state[6] += g
    state[7] += h
  }
}

function isPrime(number) {
  for (let factor = 2; factor * factor <= number; factor += 1) if (number % factor === 0) return false
  return true
}

function fractionalBits(value) {
  return (value - Math.floor(value)) * 2 ** 32
}
