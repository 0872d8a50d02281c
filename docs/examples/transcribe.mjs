// Node 22, Deno, Bun, browsers: DSM_TOKEN=… node transcribe.mjs speech.raw   (16 kHz, mono, 16 bit)
import { readFile } from "node:fs/promises"

const url = (process.env.DSM_URL ?? "http://127.0.0.1:8000").replace("http", "ws")
const audio = await readFile(process.argv[2])
const socket = new WebSocket(`${url}/ws/pcm?rate=16000`, ["bearer", process.env.DSM_TOKEN])
socket.onopen = () => {
  for (let i = 0; i < audio.length; i += 8000) socket.send(audio.subarray(i, i + 8000))
  socket.send('{"type": "stop"}')
}
socket.onmessage = ({ data }) => {
  const event = JSON.parse(data)
  if (event.type === "word") console.log(event.start, event.end, event.text)
}
