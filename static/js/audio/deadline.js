// The result of a promise that may never settle. Throws `failure` after `ms`; what the promise does later is ignored.
export async function withDeadline(promise, ms, failure) {
  let timer
  const late = new Promise((_, reject) => (timer = setTimeout(reject, ms, failure)))
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
