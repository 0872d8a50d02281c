// What is chosen before Start, remembered for the next time.

import { listMicrophones } from "../../audio/microphone.js"
import { SHARED_SOUND, canShareSound } from "../../audio/shared-sound.js"
import { make } from "./dom.js"
import { recall, remember } from "./memory.js"

const REMEMBERED = "live-choices"
const DEFAULT = ["", "Default microphone"]
const SHARED = [SHARED_SOUND, "Sound of a tab or screen"]

export class SetupView {
  #microphone
  #engine
  #language
  #audio
  #endpointing
  #engines
  #choices = recall(REMEMBERED) ?? {}

  // audio: the box to tick for keeping the sound, or null where the site keeps none.
  constructor({ microphone, engine, language, audio, endpointing, engines }) {
    this.#microphone = microphone
    this.#engine = engine
    this.#language = language
    this.#audio = audio
    this.#endpointing = endpointing
    this.#engines = engines
    if (audio) audio.checked = this.#choices.audio ?? false
    audio?.addEventListener("change", () => this.#remember())
    fill(engine, engines.map(({ name, label }) => [name, label]), this.#choices.engine)
    this.#offerLanguages()
    engine.addEventListener("change", () => this.#offerLanguages())
    for (const select of [microphone, engine, language]) select.addEventListener("change", () => this.#remember())
    navigator.mediaDevices?.addEventListener("devicechange", () => this.offerMicrophones())
    this.offerMicrophones()
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

  async offerMicrophones() {
    const devices = await listMicrophones()
    const named = devices.filter(({ deviceId }) => deviceId !== "default")
    const options = named.map(({ deviceId, label }) => [deviceId, label])
    fill(this.#microphone, [DEFAULT, ...options, ...(canShareSound() ? [SHARED] : [])], this.#choices.deviceId)
  }

  #offerLanguages() {
    const chosen = this.#engines.find(({ name }) => name === this.#engine.value)
    fill(this.#language, chosen?.languages ?? [], this.#choices.language)
    this.#endpointing.offer(chosen)
    for (const select of [this.#engine, this.#language]) select.disabled = select.length < 2
  }

  #remember() {
    this.#choices = this.choices
    remember(REMEMBERED, this.#choices)
  }
}

function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, label]) => Object.assign(make("option", "", label), { value })))
  if (options.some(([value]) => value === chosen)) select.value = chosen
}
