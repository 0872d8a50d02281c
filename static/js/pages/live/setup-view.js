// The options chosen before Start, remembered for the next visit.

import { listMicrophones } from "../../audio/microphone/microphone.js"
import { SHARED_AUDIO, canShareAudio } from "../../audio/microphone/shared-audio.js"
import { fillSelect } from "../../web/dom.js"
import { recall, remember } from "../../web/local-storage.js"

const STORAGE_KEY = "live-choices"
const DEFAULT = ["", "Default microphone"]
const SHARED = [SHARED_AUDIO, "Tab or screen audio"]

export class SetupView {
  #microphone
  #engine
  #language
  #audio
  #endpointing
  #engines
  #choices = recall(STORAGE_KEY, {})

  // audio: the checkbox for saving audio, or null where the site saves none.
  constructor({ microphone, engine, language, audio, endpointing, engines }) {
    this.#microphone = microphone
    this.#engine = engine
    this.#language = language
    this.#audio = audio
    this.#endpointing = endpointing
    this.#engines = engines
    if (audio) audio.checked = this.#choices.audio ?? false
    audio?.addEventListener("change", () => this.#remember())
    fillSelect(engine, engines.map(({ name, label }) => [name, label]), this.#choices.engine)
    this.#showLanguages()
    engine.addEventListener("change", () => this.#showLanguages())
    for (const select of [microphone, engine, language]) select.addEventListener("change", () => this.#remember())
    navigator.mediaDevices?.addEventListener("devicechange", () => this.showMicrophones())
    this.showMicrophones()
  }

  get choices() {
    return {
      deviceId: this.#microphone.value,
      engine: this.#engine.value,
      language: this.#language.value,
      audio: this.#audio?.checked ?? false,
      endpointing: this.#endpointing.choice,
    }
  }

  async showMicrophones() {
    const devices = await listMicrophones()
    const named = devices.filter(({ deviceId }) => deviceId !== "default")
    const options = named.map(({ deviceId, label }) => [deviceId, label])
    fillSelect(this.#microphone, [DEFAULT, ...options, ...(canShareAudio() ? [SHARED] : [])], this.#choices.deviceId)
  }

  #showLanguages() {
    const chosen = this.#engines.find(({ name }) => name === this.#engine.value)
    fillSelect(this.#language, chosen?.languages ?? [], this.#choices.language)
    this.#endpointing.showFor(chosen)
    for (const select of [this.#engine, this.#language]) select.disabled = select.length < 2
  }

  #remember() {
    this.#choices = this.choices
    remember(STORAGE_KEY, this.#choices)
  }
}
