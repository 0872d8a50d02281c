// A file is identified by what it contains.

import assert from "node:assert/strict"
import { createHash, randomBytes } from "node:crypto"
import { test } from "node:test"
import { FileHash } from "../../../static/js/uploads/file-hash.js"
import { Sha256 } from "../../../static/js/uploads/sha256.js"

const KIB = 1024

function sha256(...parts) {
  return parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest("hex")
}

function hashOf(bytes) {
  return new FileHash(new Blob([bytes]))
}

test("SHA-256 of every length around a block, added in any parts", () => {
  const bytes = randomBytes(200)
  for (let size = 0; size <= bytes.length; size += 1) {
    const whole = bytes.subarray(0, size)
    const middle = (size * 7) % (size + 1)
    assert.equal(new Sha256().update(whole).digest(), sha256(whole))
    assert.equal(new Sha256().update(whole.subarray(0, middle)).update(whole.subarray(middle)).digest(), sha256(whole))
  }
})

test("the fingerprint is that of the first, middle and last 256 KiB", async () => {
  const bytes = randomBytes(1001 * KIB)
  const pieces = [0, 372.5 * KIB, 745 * KIB].map((start) => bytes.subarray(start, start + 256 * KIB))
  assert.equal(await hashOf(bytes).fingerprint(), sha256(...pieces))
  const small = bytes.subarray(0, 768 * KIB)
  assert.equal(await hashOf(small).fingerprint(), sha256(small))
})

test("files that differ in the first, middle or last part have other fingerprints", async () => {
  const bytes = randomBytes(2000 * KIB)
  const fingerprints = [await hashOf(bytes).fingerprint()]
  for (const at of [0, 1000 * KIB, 2000 * KIB - 1]) {
    const other = Buffer.from(bytes)
    other[at] ^= 1
    fingerprints.push(await hashOf(other).fingerprint())
  }
  assert.equal(new Set(fingerprints).size, 4)
})

test("the hash of the whole file is known with its end, and only then", async () => {
  const bytes = randomBytes(3000 * KIB)
  const hash = hashOf(bytes)
  assert.equal(await hash.addUpTo(100), null)
  assert.equal(await hash.addUpTo(50), null)
  assert.equal(await hash.addUpTo(bytes.length), sha256(bytes))
  assert.equal(await hash.addUpTo(bytes.length), sha256(bytes))
})
