// What the user chose for the next conversation, remembered for the next visit.

import { listLoudspeakers, listMicrophones } from "../../audio/microphone/microphone.js"
import { canChooseLoudspeaker } from "../../playback/audio-output.js"
import { voicesOf } from "../../voices/voice-catalog.js"
import { fillSelect, make, partsOf } from "../../web/dom.js"
import { recall, remember } from "../../web/local-storage.js"
import { ControlsView } from "../voices/controls-view.js"

const STORAGE_KEY = "talk-choices"
const CONTROLS = ["speed"] // others change how a voice sounds, which the Voices page is for

export class SettingsView {
  #dialog
  #parts
  #config
  #voices
  #personas
  #controls
  #changed
  #stored = recall(STORAGE_KEY, {})
  #earlier // settings of the conversation to continue, in place of the stored ones

  // personas: a PersonasView; changed() is called after each change.
  constructor({ dialog, config, personas, changed }) {
    this.#dialog = dialog
    this.#parts = partsOf(dialog)
    this.#config = config
    this.#voices = voicesOf(config.voiceEngines)
    this.#personas = personas
    this.#changed = changed
    this.#earlier = config.session ?? {}
    const { close, model, engine, language, voice, audio, pushToTalk, loudspeakerChoice } = this.#parts
    const { controls = {} } = this.#stored
    const region = this.#parts.controls
    this.#controls = new ControlsView({ region, values: controls, changed: () => this.#onChange() })

    fillSelect(model, config.models.map(({ name, label }) => [name, label]), this.#earlier.model ?? this.#stored.model)
    fillSelect(engine, config.engines.map(({ name, label }) => [name, label]), this.#stored.engine)
    this.#fillVoices(this.#earlier.voice ?? this.#stored.voice)
    this.#showLanguages()
    this.#personas.show(this.#earlier.instructions ?? this.#stored.instructions)
    if (audio) audio.checked = this.#stored.audio ?? false
    pushToTalk.checked = this.#stored.pushToTalk ?? false
    loudspeakerChoice.hidden = !canChooseLoudspeaker()

    close.addEventListener("click", () => dialog.close())
    engine.addEventListener("change", () => this.#showLanguages())
    language.addEventListener("change", () => this.#matchVoice())
    voice.addEventListener("change", () => this.#showControls())
    for (const name of ["change", "input"]) dialog.addEventListener(name, () => this.#onChange())
    navigator.mediaDevices?.addEventListener("devicechange", () => this.showDevices())
    this.showDevices()
  }

  // isActive: a conversation runs, which most choices do not change any more.
  open(isActive) {
    this.#parts.later.hidden = !isActive
    this.#dialog.showModal()
  }

  // Options to start a conversation, with the fields of the start message.
  get options() {
    const { microphone, engine, language, audio, model } = this.#parts
    const voice = this.voice
    return {
      deviceId: microphone.value,
      engine: engine.value,
      language: language.value,
      audio: audio?.checked ?? false,
      model: model.value,
      voice: voice?.name ?? "",
      voice_engine: voice?.engine ?? "",
      controls: voice ? this.#controls.valuesFor(withSpeedOnly(voice)) : {},
      instructions: this.#personas.instructions,
      push_to_talk: this.#parts.pushToTalk.checked,
    }
  }

  get voice() {
    return this.#voices.find(({ id }) => id === this.#parts.voice.value)
  }

  get model() {
    return this.#config.models.find(({ name }) => name === this.#parts.model.value)
  }

  get loudspeakerId() {
    return this.#parts.loudspeaker.value
  }

  // Browsers name the devices once the microphone was allowed.
  async showDevices() {
    const { microphone, loudspeaker } = this.#parts
    const choices = [
      [microphone, await listMicrophones(), "Default microphone", this.#stored.deviceId],
      [loudspeaker, await listLoudspeakers(), "Default loudspeaker", this.#stored.loudspeakerId],
    ]
    for (const [select, devices, label, chosen] of choices) {
      const named = devices.filter(({ deviceId }) => deviceId !== "default")
      fillSelect(select, [["", label], ...named.map(({ deviceId, label }) => [deviceId, label])], chosen)
    }
    this.#changed()
  }

  #fillVoices(chosen) {
    const languages = [...new Set(this.#voices.map(({ languageName }) => languageName))].sort()
    const groups = languages.map((language) => {
      return group(language, this.#voices.filter(({ languageName }) => languageName === language))
    })
    this.#parts.voice.replaceChildren(...groups)
    if (this.#voices.some(({ id }) => id === chosen)) this.#parts.voice.value = chosen
  }

  #showLanguages() {
    const { engine, language } = this.#parts
    const languages = this.#config.engines.find(({ name }) => name === engine.value)?.languages ?? []
    fillSelect(language, languages, this.#earlier.language ?? this.#stored.language)
    for (const select of [engine, language]) select.disabled = select.length < 2
    this.#matchVoice()
  }

  // The assistant answers in the user's language, so its voice should have that language.
  #matchVoice() {
    const [base] = this.#parts.language.value.toLowerCase().split("-")
    const match = this.#voices.find((voice) => voice.base === base)
    if (match && this.voice?.base !== base) this.#parts.voice.value = match.id
    this.#showControls()
  }

  #showControls() {
    if (this.voice) this.#controls.show(withSpeedOnly(this.voice))
  }

  #onChange() {
    const { deviceId, engine, language, audio, model, instructions, push_to_talk } = this.options
    this.#stored = {
      ...{ deviceId, engine, language, audio, model, instructions },
      loudspeakerId: this.loudspeakerId,
      voice: this.voice?.id,
      controls: this.#controls.values,
      pushToTalk: push_to_talk,
    }
    remember(STORAGE_KEY, this.#stored)
    this.#changed()
  }
}

function withSpeedOnly(voice) {
  return { ...voice, controls: voice.controls.filter(({ name }) => CONTROLS.includes(name)) }
}

function group(label, voices) {
  const options = voices.map(({ id, label, engineLabel, is_noncommercial: isNoncommercial }) => {
    const details = isNoncommercial ? `${engineLabel}, non-commercial` : engineLabel
    return Object.assign(make("option", "", `${label} (${details})`), { value: id })
  })
  return Object.assign(make("optgroup", "", ...options), { label })
}
