// The live page: connects a session to its views.

import { Microphone } from "../audio/microphone/microphone.js"
import { wavOf } from "../audio/wav.js"
import { LiveSession } from "../live/live-session.js"
import { rename, titleOf } from "../live/session-title.js"
import { storedWords } from "../live/stored-words.js"
import { StreamClient } from "../live/stream-client.js"
import { Title } from "../live/title.js"
import { RecordingStore } from "../unsent/recording-store.js"
import { Recordings } from "../unsent/recordings.js"
import { byId } from "../web/dom.js"
import { Failure } from "../web/failure.js"
import { saveFile } from "../web/save-file.js"
import { requestTicket, socketUrl } from "../web/ticket.js"
import { ActivityStrip } from "./live/activity-strip.js"
import { EndpointingView } from "./live/endpointing-view.js"
import { addShortcuts } from "./live/keyboard.js"
import { RecordButtons } from "./live/record-buttons.js"
import { SetupView } from "./live/setup-view.js"
import { StatsView } from "./live/stats-view.js"
import { CaptionsView } from "./live/transcript/captions-view.js"
import { ExportButtons } from "./live/transcript/export-buttons.js"
import { TitleView } from "./live/transcript/title-view.js"
import { TranscriptView } from "./live/transcript/transcript-view.js"
import { WordCard } from "./live/transcript/word-card.js"
import { handlePageEvents } from "./streaming/page-events.js"
import { ResumePrompt } from "./streaming/resume-prompt.js"
import { sessionStatus } from "./streaming/session-status.js"
import { StatusView } from "./streaming/status-view.js"
import { WakeLock } from "./streaming/wake-lock.js"

const STATS_INTERVAL_MS = 250
let shownPhase = null
const config = JSON.parse(byId("live-config").textContent)

const recordings = new Recordings({ store: new RecordingStore(), owner: config.owner })
const fetchWords = (id, first) => storedWords(config.apiSessions, id, first)
const connection = {
  requestTicket: () => requestTicket(config.tickets),
  socketUrl: (ticket) => socketUrl(config.socket, ticket),
}
const session = new LiveSession({
  recordings,
  fetchWords,
  microphone: new Microphone(config.worklet),
  createClient: (options) => new StreamClient({ ...options, ...connection }),
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
  region: byId("status"),
  unsent: byId("unsent"),
  actions: byId("actions"),
  links: { login: byId("live").dataset.login, approvalStatus: config.approvalStatus },
  choose: (action) => actions[action](),
})
const buttons = new RecordButtons({
  page: byId("live"),
  toggle: byId("toggle"),
  label: byId("toggle-label"),
  stop: byId("stop"),
})
const stats = new StatsView({
  elapsed: byId("elapsed"),
  lag: byId("lag"),
  latency: byId("latency"),
  meter: byId("meter"),
})
const strip = new ActivityStrip({ canvas: byId("strip"), legend: byId("heads"), activity })
const wakeLock = new WakeLock()
const words = new TranscriptView({ log: byId("transcript"), newest: byId("newest"), transcript })
const captions = new CaptionsView({ dialog: byId("captions"), transcript })
const title = new Title((id, text) => rename(config.apiSessions, id, text))
new TitleView({ field: byId("title"), status: byId("title-status"), title })
new WordCard({ log: byId("transcript"), card: byId("word-card"), transcript })
new ExportButtons({ copy: byId("copy"), download: byId("download"), transcript })

const resumePrompt = new ResumePrompt({
  panel: byId("resume-prompt"),
  dialog: byId("discard-dialog"),
  recordings,
  fetchWords,
  transcript,
  resume: (recording, words, options) => {
    session.resumeRecording(recording, words, { ...setup.choices, ...options })
    if (recording.session) titleOf(config.apiSessions, recording.session).then((text) => title.setStored(text), () => {})
  },
})

const actions = {
  retry: () => session.retry(setup.choices),
  wait: () => session.start({ ...setup.choices, wait: true }),
  waitForEngine: () => session.start({ ...setup.choices, wait: true }),
  leave: () => session.leave(),
  now: () => session.client.retryNow(),
  giveUp: () => session.leave(),
  save: () => saveFile(wavOf([session.ring.samples]), "speech", "wav"),
  cancel: () => session.leave(),
  wake: () => session.wakeMicrophone(),
  reopen: () => session.reopenMicrophone(),
  reload: () => location.reload(),
}
const toggles = {
  idle: () => session.start(setup.choices),
  done: () => session.start(setup.choices),
  failed: () => session.start(setup.choices),
  running: () => session.pause(),
  paused: () => session.resume(),
}

function toggle() {
  toggles[session.phase]?.()
}

function stop() {
  if (session.isActive) session.stop()
}

function showSession() {
  buttons.show(session.phase)
  if (session.phase !== shownPhase) showResumePrompt()
  shownPhase = session.phase
  wakeLock.wanted = session.phase === "running" || session.phase === "waiting"
  if (session.phase === "running") setup.showMicrophones()
  if (activity.length === 0) strip.hide()
  byId("saving-audio").hidden = !session.savesAudio
  showTitle()
  showStats()
}

// A title that could not be saved is saved again at the next change.
function showTitle() {
  if (session.phase === "opening" && !session.id) title.clear()
  if (session.id) title.attachTo(session.id)
}

function goToWordsAt({ clientX }) {
  const seconds = strip.secondsAt(clientX)
  if (seconds !== null) words.goTo(transcript.indexAt(seconds))
}

function showHelp() {
  if (!document.querySelector("dialog[open]")) byId("help").showModal()
}

// Offers unfinished recordings, of this page or an earlier one, while no session is active.
function showResumePrompt() {
  session.phase === "idle" ? resumePrompt.show() : resumePrompt.hide()
}

function showStats() {
  status.show(sessionStatus(session, { isOnline: navigator.onLine }), `${config.sessions}${session.id}/`)
  stats.showTimes(session)
  status.showUnsent(session)
}

session.addEventListener("change", showSession)
session.addEventListener("frame", ({ detail }) => {
  stats.showLevel(detail)
  strip.wake()
})
byId("toggle").addEventListener("click", toggle)
byId("stop").addEventListener("click", stop)
byId("strip").addEventListener("click", goToWordsAt)
byId("captions-open").addEventListener("click", () => captions.toggle())
byId("help-open").addEventListener("click", showHelp)
addShortcuts({ toggle, stop, captions: () => captions.toggle(), help: showHelp, letters: byId("keys") })
setInterval(showStats, STATS_INTERVAL_MS)
for (const name of ["online", "offline"]) addEventListener(name, showSession)
handlePageEvents(session)

if (!window.isSecureContext) session.fail(new Failure("insecure"))
showSession()
