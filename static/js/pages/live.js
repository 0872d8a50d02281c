// The live page: a session, its views, and the wires between them.

import { Microphone } from "../audio/microphone.js"
import { wavOf } from "../audio/wav.js"
import { Failure } from "../web/failure.js"
import { LiveSession } from "../live/live-session.js"
import { RecordingStore } from "../unsent/recording-store.js"
import { Recordings } from "../unsent/recordings.js"
import { storedWords } from "../live/stored-words.js"
import { StreamClient } from "../live/stream-client.js"
import { askTicket } from "../web/ticket.js"
import { rename, titleOf } from "../live/session-title.js"
import { Title } from "../live/title.js"
import { ActivityStrip } from "./live/activity-strip.js"
import { CaptionsView } from "./live/captions-view.js"
import { ControlsView } from "./live/controls-view.js"
import { byId } from "./live/dom.js"
import { EndpointingView } from "./live/endpointing-view.js"
import { FiguresView } from "./live/stats-view.js"
import { listenToKeys } from "./live/keyboard.js"
import { Offer } from "./live/resume-prompt.js"
import { saveFile } from "./live/save-file.js"
import { SetupView } from "./live/setup-view.js"
import { situationOf } from "./live/session-status.js"
import { StatusView } from "./live/status-view.js"
import { TakeAway } from "./live/export-buttons.js"
import { TitleView } from "./live/title-view.js"
import { TranscriptView } from "./live/transcript-view.js"
import { WakeLock } from "./live/wake-lock.js"
import { WordCard } from "./live/word-card.js"

const FIGURES_EVERY_MS = 250
let shownPhase = null
const config = JSON.parse(byId("live-config").textContent)

const recordings = new Recordings({ store: new RecordingStore(), owner: config.owner })
const fetchWords = (id, first) => storedWords(config.storedSessions, id, first)
const session = new LiveSession({
  recordings,
  fetchWords,
  microphone: new Microphone(config.worklet),
  createClient: (parts) => new StreamClient({ ...parts, socketUrl, askTicket: () => askTicket(config.tickets) }),
})
const { transcript, activity } = session

const setup = new SetupView({
  microphone: byId("microphone"),
  engine: byId("engine"),
  language: byId("language"),
  audio: byId("audio"),
  endpointing: new EndpointingView({ panel: byId("endpointing") }),
  engines: config.engines,
})
const status = new StatusView({
  region: byId("told"),
  kept: byId("kept"),
  ways: byId("ways"),
  links: { login: byId("live").dataset.login, standing: config.standing },
  choose: (way) => waysOut[way](),
})
const controls = new ControlsView({
  page: byId("live"),
  toggle: byId("toggle"),
  label: byId("toggle-label"),
  stop: byId("stop"),
})
const figures = new FiguresView({
  elapsed: byId("elapsed"),
  lag: byId("lag"),
  latency: byId("latency"),
  meter: byId("meter"),
})
const strip = new ActivityStrip({ canvas: byId("strip"), legend: byId("heads"), activity })
const wakeLock = new WakeLock()
const words = new TranscriptView({ log: byId("transcript"), newest: byId("newest"), transcript })
const captions = new CaptionsView({ dialog: byId("captions"), transcript })
const title = new Title((id, text) => rename(config.titles, id, text))
new TitleView({ field: byId("title"), told: byId("title-told"), title })
new WordCard({ log: byId("transcript"), card: byId("word-card"), transcript })
new TakeAway({ copy: byId("copy"), download: byId("download"), transcript })

const offer = new Offer({
  panel: byId("offer"),
  dialog: byId("discard-dialog"),
  recordings,
  fetchWords,
  transcript,
  takeUp: (recording, words, how) => {
    session.takeUp(recording, words, { ...setup.choices, ...how })
    if (recording.session) titleOf(config.titles, recording.session).then((text) => title.found(text), () => {})
  },
})

const waysOut = {
  retry: () => session.retry(setup.choices),
  wait: () => session.start({ ...setup.choices, wait: true }),
  waitForEngine: () => session.start({ ...setup.choices, wait: true }),
  leave: () => session.leave(),
  now: () => session.client.retryNow(),
  giveUp: () => session.leave(),
  save: () => saveFile(wavOf([session.ring.all]), "speech", "wav"),
  wake: () => session.wakeMicrophone(),
  reload: () => location.reload(),
}
const toggles = {
  idle: () => session.start(setup.choices),
  done: () => session.start(setup.choices),
  failed: () => session.start(setup.choices),
  running: () => session.pause(),
  paused: () => session.resume(),
}

function socketUrl(ticket) {
  const address = new URL(config.socket, location.href)
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:"
  address.searchParams.set("ticket", ticket)
  return address.href
}

function toggle() {
  toggles[session.phase]?.()
}

function stop() {
  if (session.isActive) session.stop()
}

function showSession() {
  controls.show(session.phase)
  if (session.phase !== shownPhase) showOffer()
  shownPhase = session.phase
  wakeLock.wanted = session.phase === "running" || session.phase === "waiting"
  if (session.phase === "running") setup.offerMicrophones()
  if (activity.length === 0) strip.hide()
  byId("sound").hidden = !session.keepsAudio
  showTitle()
  showFigures()
}

// What failed to be stored is tried again whenever something changes.
function showTitle() {
  if (session.phase === "opening" && !session.id) title.clear()
  if (session.id) title.belongTo(session.id)
}

function goToWordsAt({ clientX }) {
  const seconds = strip.secondsAt(clientX)
  if (seconds !== null) words.goTo(transcript.indexAt(seconds))
}

function showHelp() {
  if (!document.querySelector("dialog[open]")) byId("help").showModal()
}

// What was left, by this page or an earlier one, is offered whenever nothing else is going on.
function showOffer() {
  session.phase === "idle" ? offer.show() : offer.hide()
}

function showFigures() {
  status.show(situationOf(session, { isOnline: navigator.onLine }), `${config.sessions}${session.id}/`)
  figures.showTimes(session)
  const hasTrouble = ["reconnecting", "queued", "interrupted", "failed"].includes(session.connection)
  hasTrouble && session.kept >= 1 ? status.showKept(session) : status.hideKept()
}

function askBeforeLeaving(event) {
  const wouldLose = session.isActive || (session.phase === "failed" && session.kept >= 1)
  if (wouldLose) event.preventDefault()
}

// The network changed or the page slept: the connection may be dead without having said so.
function doubtConnection() {
  session.client?.retryNow()
  session.client?.doubt()
}

session.addEventListener("change", showSession)
session.addEventListener("frame", ({ detail }) => {
  figures.showLevel(detail)
  strip.wake()
})
byId("toggle").addEventListener("click", toggle)
byId("stop").addEventListener("click", stop)
byId("strip").addEventListener("click", goToWordsAt)
byId("captions-open").addEventListener("click", () => captions.toggle())
byId("help-open").addEventListener("click", showHelp)
listenToKeys({ toggle, stop, captions: () => captions.toggle(), help: showHelp, letters: byId("keys") })
setInterval(showFigures, FIGURES_EVERY_MS)
for (const name of ["online", "offline"]) addEventListener(name, showSession)
for (const name of ["online", "offline", "pageshow"]) addEventListener(name, doubtConnection)
addEventListener("beforeunload", askBeforeLeaving)
addEventListener("pagehide", () => session.flush())
document.addEventListener("visibilitychange", () => (document.hidden ? session.flush() : doubtConnection()))

if (!window.isSecureContext) session.fail(new Failure("insecure"))
showSession()
