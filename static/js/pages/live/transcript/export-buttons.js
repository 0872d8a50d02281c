// Copies and downloads the transcript at any time, without the server.

import { saveFile } from "../../../web/save-file.js"

const FEEDBACK_MS = 2000

export class ExportButtons {
  #copy
  #download
  #transcript

  constructor({ copy, download, transcript }) {
    this.#copy = copy
    this.#download = download
    this.#transcript = transcript
    copy.addEventListener("click", () => this.#copyAll())
    download.addEventListener("click", () => this.#save())
    for (const name of ["word", "rewind", "clear"]) transcript.addEventListener(name, () => this.#enable())
  }

  #enable() {
    this.#copy.disabled = this.#download.disabled = this.#transcript.words.length === 0
  }

  async #copyAll() {
    try {
      await navigator.clipboard.writeText(this.#transcript.text)
      this.#copy.textContent = "Copied"
    } catch {
      this.#copy.textContent = "Couldn't copy"
    }
    setTimeout(() => (this.#copy.textContent = "Copy all"), FEEDBACK_MS)
  }

  #save() {
    saveFile(new Blob([this.#transcript.timedText], { type: "text/plain" }), "transcript", "txt")
  }
}
