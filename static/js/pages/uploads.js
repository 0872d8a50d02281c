// The page from which recordings are sent: files come in by choice or by drop, are sent one by one, and are watched.

import { UploadServer } from "../uploads/server.js"
import { Upload } from "../uploads/upload.js"
import { byId } from "./live/dom.js"
import { Entry } from "./uploads/entry.js"

const config = JSON.parse(byId("upload-config").textContent)
const token = document.querySelector('meta[name="csrf-token"]').content
const server = new UploadServer({ url: config.uploads, token })
const entries = new Map()
let sending = Promise.resolve()

function add(told, file = null) {
  const entry = new Entry({ forget: () => forget(upload), take: () => attempt(upload.takeWhatIsThere()) })
  const upload = new Upload({ server, told, file, piece: config.piece, changed: () => entry.show(upload.told) })
  entries.set(upload, entry)
  entry.show(upload.told)
  byId("uploads").prepend(entry.element)
  byId("none").hidden = true
  return upload
}

function send(files) {
  byId("trouble").hidden = true
  for (const file of files) {
    dropUnfinished(file)
    const told = { name: file.name, size: file.size, received: 0, state: "queued", problem: null }
    const upload = add(told, file)
    sending = sending.then(() => upload.send(wishes()))
  }
}

// The server knows by its name and size that this is the one, and goes on with it.
function dropUnfinished({ name, size }) {
  for (const [upload, entry] of entries) {
    const { told } = upload
    if (told.state !== "unfinished" || told.name !== name || told.size !== size) continue
    entries.delete(upload)
    entry.element.remove()
  }
}

async function forget(upload) {
  if (!(await attempt(upload.forget()))) return
  entries.get(upload).element.remove()
  entries.delete(upload)
  byId("none").hidden = entries.size > 0
}

async function attempt(promise) {
  try {
    await promise
    return true
  } catch (error) {
    byId("trouble").textContent = `That did not work. ${error.message} Try again in a moment.`
    byId("trouble").hidden = false
    return false
  }
}

function wishes() {
  return { engine: byId("engine").value, language: byId("language").value, audio: byId("audio")?.checked ?? false, sides: byId("sides").checked }
}

// --- Choices --------------------------------------------------------------------------------------------------------

function showLanguages() {
  const engine = config.engines.find(({ name }) => name === byId("engine").value)
  const options = (engine?.languages ?? []).map(([code, name]) => new Option(name, code))
  byId("language").replaceChildren(...options)
  byId("language").closest(".field").hidden = options.length < 2
}

byId("engine").replaceChildren(...config.engines.map(({ name, label }) => new Option(label, name)))
byId("engine").closest(".field").hidden = config.engines.length < 2
byId("engine").addEventListener("change", showLanguages)
showLanguages()

// --- Files ----------------------------------------------------------------------------------------------------------

const dropzone = byId("dropzone")
byId("files").addEventListener("change", ({ target }) => {
  send([...target.files])
  target.value = ""
})
addEventListener("dragover", (event) => {
  event.preventDefault()
  dropzone.classList.add("dropzone--over")
})
addEventListener("dragleave", ({ relatedTarget }) => {
  if (!relatedTarget) dropzone.classList.remove("dropzone--over")
})
addEventListener("drop", (event) => {
  event.preventDefault()
  dropzone.classList.remove("dropzone--over")
  send([...event.dataTransfer.files])
})
addEventListener("beforeunload", (event) => {
  if ([...entries.keys()].some((upload) => upload.isSending)) event.preventDefault()
})

// --- What is there already ------------------------------------------------------------------------------------------

const known = (await attempt(server.all().then((all) => all.reverse().forEach((told) => add(told).watch())))) && entries.size
byId("none").hidden = Boolean(known)
