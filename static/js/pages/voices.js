// The voices page: connects the chosen voice, the clips and the player to their views.

import { ClipPlayer } from "../playback/clip-player.js"
import { ClipStore } from "../voices/clip-store.js"
import { Clip } from "../voices/clip.js"
import { SpeechClient } from "../voices/speech-client.js"
import { sampleText, voicesOf } from "../voices/voice-catalog.js"
import { byId } from "../web/dom.js"
import { recall, remember } from "../web/local-storage.js"
import { requestTicket, socketUrl } from "../web/ticket.js"
import { ClipHistory } from "./voices/clip-history.js"
import { Composer } from "./voices/composer.js"
import { ControlsView } from "./voices/controls-view.js"
import { Stage } from "./voices/stage.js"
import { VoiceList } from "./voices/voice-list.js"

const CHOICE_KEY = "voices-choice"
const TEXT_KEY = "voices-text"
const POLL_INTERVAL_MS = 2000
const config = JSON.parse(byId("voices-config").textContent)
const parameters = new URLSearchParams(location.search)
const voices = voicesOf(config.engines)
const remembered = recall(CHOICE_KEY, {})

const connection = {
  requestTicket: () => requestTicket(config.tickets),
  socketUrl: (ticket) => socketUrl(config.socket, ticket),
}
const player = new ClipPlayer(config.worklet)
const store = new ClipStore(config.owner)
const clients = new Map() // by clip, while it is generated
let queue = [] // clips to play after the current one

const controls = new ControlsView({
  region: byId("controls"),
  values: remembered.controls ?? {},
  changed: rememberChoice,
})
const list = new VoiceList({
  root: byId("voice-list-box"),
  voices,
  chosen: parameters.get("voice") ?? voiceFor(config.session?.language, remembered.voice),
  choose: chooseVoice,
  sample: toggleSample,
})
const composer = new Composer({
  root: byId("composer"),
  maxLength: config.maxTextLength,
  text: parameters.get("text") ?? config.session?.text ?? recall(TEXT_KEY, ""),
  voices,
  speak,
  stop,
  link: linkTo,
})
const stage = new Stage({
  root: byId("stage"),
  player,
  play,
  speak,
  files: config.files,
  links: { approvalStatus: config.approvalStatus },
})
const history = new ClipHistory({ root: byId("history"), store, play: playStored })

function voiceOf(id) {
  return voices.find((voice) => voice.id === id)
}

// The ID of a voice of that language: of the preferred one if it has that language.
function voiceFor(language, preferred) {
  if (!language || voiceOf(preferred)?.base === language) return preferred
  return voices.find(({ base }) => base === language)?.id ?? preferred
}

function chooseVoice(voice) {
  controls.show(voice)
  composer.voice = voice
  rememberChoice()
}

function rememberChoice() {
  remember(CHOICE_KEY, { voice: list.chosen?.id, controls: controls.values })
}

function linkTo() {
  const address = new URL(location.pathname, location.href)
  address.searchParams.set("voice", list.chosen.id)
  address.searchParams.set("text", composer.text)
  return address.href
}

function createClip(voice, text) {
  return new Clip({
    text,
    speaker: { engine: voice.engine, voice: voice.name, label: voice.label, engineLabel: voice.engineLabel },
    controls: controls.valuesFor(voice),
  })
}

// Generates one clip, or two at once for comparison, and plays them one after the other.
async function speak() {
  const text = composer.text
  if (!text.trim() || !list.chosen) return
  remember(TEXT_KEY, text.length < 20_000 ? text : "")
  stop()
  const chosen = [list.chosen, voiceOf(composer.compareWith)].filter(Boolean)
  const clips = chosen.map((voice) => createClip(voice, text))
  stage.show(clips)
  queue = clips.slice(1)
  for (const clip of clips) generate(clip, { addToHistory: true })
  await play(clips[0], queue)
}

function generate(clip, { addToHistory = false } = {}) {
  const client = new SpeechClient({ clip, ...connection })
  clients.set(clip, client)
  clip.addEventListener("over", () => {
    clients.delete(clip)
    if (addToHistory && clip.state === "done") history.add(clip)
    showState()
  })
  client.speak()
  showState()
}

async function play(clip, rest = []) {
  queue = rest
  try {
    await player.play(clip)
  } catch (error) {
    clip.fail(error, performance.now())
  }
}

function stop() {
  queue = []
  player.stop()
  for (const client of clients.values()) client.stop()
  showState()
}

function toggleSample(voice) {
  const isThis = player.isActive && player.clip?.sampleOf === voice.id
  stop()
  if (isThis) return
  const clip = Object.assign(createClip(voice, sampleText(voice)), { sampleOf: voice.id })
  generate(clip)
  play(clip)
}

async function playStored(stored) {
  stop()
  const samples = await store.audio(stored.id)
  if (!samples) return
  const clip = Clip.restore({ ...stored, samples })
  stage.show([clip])
  await play(clip)
}

function showState() {
  const isSample = Boolean(player.clip?.sampleOf)
  composer.isBusy = (player.isActive && !isSample) || [...clients.keys()].some((clip) => !clip.sampleOf)
  list.playingSample = player.isActive && isSample ? player.clip.sampleOf : null
}

// Without a text-to-speech engine, the page reloads when one is available, with the text typed meanwhile.
async function waitForVoices() {
  while (!(await hasVoices())) await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS))
  remember(TEXT_KEY, composer.text)
  const address = new URL(location.href)
  for (const name of ["text", "session", "after"]) address.searchParams.delete(name) // would replace the typed text
  location.replace(address)
}

async function hasVoices() {
  try {
    const response = await fetch(location.pathname, { cache: "no-store" })
    const page = new DOMParser().parseFromString(await response.text(), "text/html")
    return voicesOf(JSON.parse(page.getElementById("voices-config").textContent).engines).length > 0
  } catch {
    return false // offline or logged out
  }
}

player.addEventListener("change", () => {
  if (!player.isActive && queue.length > 0) {
    const [next, ...rest] = queue
    play(next, rest)
  }
  showState()
})
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.target.closest("dialog, select")) stop()
})
addEventListener("pagehide", stop)

if (list.chosen) chooseVoice(list.chosen)
history.show()
showState()
if (voices.length === 0) waitForVoices()
