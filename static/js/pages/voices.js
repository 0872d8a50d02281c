// The page of voices: what was chosen, what is being spoken, and the wires between them and the views.

import { Player } from "../audio/player.js"
import { SpeechClient } from "../voices/speech-client.js"
import { recall, remember } from "../web/local-storage.js"
import { Take } from "../voices/take.js"
import { TakeStore } from "../voices/take-store.js"
import { askTicket } from "../web/ticket.js"
import { sampleText, voicesOf } from "../voices/voices.js"
import { byId } from "./live/dom.js"
import { Composer } from "./voices/composer.js"
import { ControlsView } from "./voices/controls-view.js"
import { History } from "./voices/history.js"
import { Stage } from "./voices/stage.js"
import { VoiceList } from "./voices/voice-list.js"

const CHOICE = "voices-choice"
const LOOK_EVERY_MS = 2000
const config = JSON.parse(byId("voices-config").textContent)
const asked = new URLSearchParams(location.search)
const voices = voicesOf(config.engines)
const remembered = recall(CHOICE, {})

const player = new Player(config.worklet)
const store = new TakeStore(config.owner)
const clients = new Map() // by take, while it is made
let queue = [] // takes to be played after the one that plays

const controls = new ControlsView({ region: byId("controls"), values: remembered.controls ?? {}, changed: keepChoice })
const list = new VoiceList({
  root: byId("voice-list-box"),
  voices,
  chosen: asked.get("voice") ?? voiceFor(config.session?.language, remembered.voice),
  choose: chooseVoice,
  sample: toggleSample,
})
const composer = new Composer({
  root: byId("composer"),
  longest: config.longestText,
  text: asked.get("text") ?? config.session?.text ?? recall("voices-text", ""),
  voices,
  speak,
  stop,
  link: linkTo,
})
const stage = new Stage({ root: byId("stage"), player, play, files: config.files, links: { standing: config.standing }, speak })
const history = new History({ root: byId("history"), store, show: showKept })

function voiceOf(id) {
  return voices.find((voice) => voice.id === id)
}

// The id of one of that language: the preferred one if it is.
function voiceFor(language, preferred) {
  if (!language || voiceOf(preferred)?.base === language) return preferred
  return voices.find(({ base }) => base === language)?.id ?? preferred
}

function chooseVoice(voice) {
  controls.show(voice)
  composer.voice = voice
  keepChoice()
}

function keepChoice() {
  remember(CHOICE, { voice: list.chosen?.id, controls: controls.values })
}

function linkTo() {
  const address = new URL(location.pathname, location.href)
  address.searchParams.set("voice", list.chosen.id)
  address.searchParams.set("text", composer.text)
  return address.href
}

function takeOf(voice, text) {
  return new Take({
    text,
    speaker: { engine: voice.engine, voice: voice.name, label: voice.label, engineLabel: voice.engineLabel },
    controls: controls.valuesFor(voice),
  })
}

// One take or, to compare, two: both are made at once, and played one after the other.
async function speak() {
  const text = composer.text
  if (!text.trim() || !list.chosen) return
  remember("voices-text", text.length < 20_000 ? text : "")
  stop()
  const spoken = [list.chosen, voiceOf(composer.compareWith)].filter(Boolean)
  const takes = spoken.map((voice) => takeOf(voice, text))
  stage.show(takes)
  queue = takes.slice(1)
  for (const take of takes) make(take, { keep: true })
  await play(takes[0], queue)
}

function make(take, { keep = false } = {}) {
  const client = new SpeechClient({ take, socketUrl, askTicket: () => askTicket(config.tickets) })
  clients.set(take, client)
  take.addEventListener("over", () => {
    clients.delete(take)
    if (keep && take.state === "made") history.add(take)
    showState()
  })
  client.speak()
  showState()
}

async function play(take, rest = []) {
  queue = rest
  try {
    await player.play(take)
  } catch (error) {
    take.fail(error, performance.now())
  }
}

function stop() {
  queue = []
  player.stop()
  for (const client of clients.values()) client.stop()
  showState()
}

function toggleSample(voice) {
  const isThis = player.isActive && player.take?.sampleOf === voice.id
  stop()
  if (isThis) return
  const take = Object.assign(takeOf(voice, sampleText(voice)), { sampleOf: voice.id })
  make(take)
  play(take)
}

async function showKept(kept) {
  stop()
  const samples = await store.audio(kept.id)
  if (!samples) return
  const take = Take.of({ ...kept, samples })
  stage.show([take])
  await play(take)
}

function showState() {
  const isSample = Boolean(player.take?.sampleOf)
  composer.isBusy = (player.isActive && !isSample) || [...clients.keys()].some((take) => !take.sampleOf)
  list.sounding = player.isActive && isSample ? player.take.sampleOf : null
}

function socketUrl(ticket) {
  const address = new URL(config.socket, location.href)
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:"
  address.searchParams.set("ticket", ticket)
  return address.href
}

// Where no engine speaks yet the page begins anew when one does, with what was typed meanwhile.
async function waitForVoices() {
  while (!(await areThereVoices())) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  remember("voices-text", composer.text)
  const address = new URL(location.href)
  for (const name of ["text", "session", "after"]) address.searchParams.delete(name) // it would take the place of what was typed
  location.replace(address)
}

async function areThereVoices() {
  try {
    const response = await fetch(location.pathname, { cache: "no-store" })
    const page = new DOMParser().parseFromString(await response.text(), "text/html")
    return voicesOf(JSON.parse(page.getElementById("voices-config").textContent).engines).length > 0
  } catch {
    return false // away from the network, or logged out
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
