// The upload page: accepts chosen and dropped files, uploads them one after another and shows their progress.

import { pageId } from "../uploads/page-id.js"
import { sizeProblem, textOf } from "../uploads/problem.js"
import { UploadServer } from "../uploads/server.js"
import { Upload } from "../uploads/upload.js"
import { byId } from "../web/dom.js"
import { Entry } from "./uploads/entry.js"

const PART_BYTES = 2 * 1024 * 1024 // at a time
const config = JSON.parse(byId("upload-config").textContent)
const server = new UploadServer({ url: config.uploads })
const currentPageId = pageId()
const entries = new Map()
let sending = Promise.resolve()

function add(status, file = null) {
  const entry = new Entry({
    sessions: config.sessions,
    cancel: () => cancel(upload),
    acceptTruncated: () => attempt(upload.acceptTruncated()),
  })
  const changed = () => {
    if (file) removeResumed(upload)
    entry.show(upload.status)
  }
  const upload = new Upload({ server, status, file, pageId: currentPageId(), partSize: PART_BYTES, changed })
  entries.set(upload, entry)
  entry.show(upload.status)
  byId("uploads").prepend(entry.element)
  byId("none").hidden = true
  return upload
}

function send(files) {
  byId("trouble").hidden = true
  const options = chosenOptions()
  for (const file of files) {
    const problem = sizeProblem(file.size, config.maxSize)
    const state = problem ? "failed" : "queued"
    const upload = add({ name: file.name, size: file.size, received: 0, state, problem }, file)
    if (!problem) sending = sending.then(() => upload.send(options))
  }
}

// The server recognized the file of an incomplete upload, which this page continues.
function removeResumed(upload) {
  for (const [other, entry] of entries) {
    if (other === upload || !other.status.id || other.status.id !== upload.status.id) continue
    entries.delete(other)
    entry.element.remove()
  }
}

async function cancel(upload) {
  if (!(await attempt(upload.cancel()))) return
  entries.get(upload).element.remove()
  entries.delete(upload)
  byId("none").hidden = entries.size > 0
}

async function attempt(promise) {
  try {
    await promise
    return true
  } catch (error) {
    const unknown = { what: "Something went wrong.", why: error.message, action: "Try again in a moment." }
    byId("trouble").textContent = textOf(error.problem ?? unknown)
    byId("trouble").hidden = false
    return false
  }
}

function chosenOptions() {
  return {
    engine: byId("engine").value,
    language: byId("language").value,
    audio: byId("audio")?.checked ?? false,
    multichannel: byId("multichannel").checked,
  }
}

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

await attempt(server.all().then((all) => all.reverse().forEach((status) => add(status).watch())))
byId("none").hidden = entries.size > 0
