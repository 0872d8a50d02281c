// Formats a duration: 8.3 -> "8 s", 95 -> "1 min".
export function formatDuration(seconds) {
  return seconds < 60 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min`
}

const relative = new Intl.RelativeTimeFormat("en")
const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]]

// "12 seconds ago", "3 hours ago"
export function timeAgo(seconds) {
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? UNITS.at(-1)
  return relative.format(-Math.max(1, Math.floor(seconds / length)), unit)
}
