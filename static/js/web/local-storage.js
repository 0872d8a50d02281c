// Values that the browser keeps for the next visit. A browser that stores nothing for this site works all the same.

export function recall(name, fallback = null) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? fallback
  } catch {
    return fallback
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value))
  } catch {
    // full, or forbidden
  }
}
