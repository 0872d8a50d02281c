// Node 22, Deno, Bun, browsers: TOKEN=… node transcribe.mjs speech.raw   (16 kHz, mono, 16 bit)
import { readFile } from "node:fs/promises"

const url = `${process.env.URL ?? "ws://127.0.0.1:8000"}/ws/pcm?rate=16000`
const audio = await readFile(process.argv[2])
const socket = new WebSocket(url, ["bearer", process.env.TOKEN])
socket.onopen = () => {
  for (let i = 0; i < audio.length; i += 8000) socket.send(audio.subarray(i, i + 8000))
  socket.send('{"type": "stop"}')
}
socket.onmessage = ({ data }) => {
  const event = JSON.parse(data)
  if (event.type === "word") console.log(event.start, event.end, event.text)
}
