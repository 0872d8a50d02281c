// Downloads a blob as a file whose name has the current time: transcript-2025-03-09-1407.txt

export function saveFile(blob, name, extension) {
  const address = URL.createObjectURL(blob)
  const link = document.createElement("a")
  link.href = address
  link.download = `${name}-${localTime(new Date())}.${extension}`
  link.click()
  URL.revokeObjectURL(address)
}

// 2025-03-09-1407
function localTime(date) {
  const two = (number) => String(number).padStart(2, "0")
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-")
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}`
}
