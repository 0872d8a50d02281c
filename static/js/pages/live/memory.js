// What this browser remembers of earlier visits. One that keeps nothing for the site works all the same.

export function remember(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value))
  } catch {
    // full, or forbidden
  }
}

export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(name))
  } catch {
    return null
  }
}
