// The Talk page: connects a conversation to its views.

import { Microphone } from "../audio/microphone/microphone.js"
import { wavOf } from "../audio/wav.js"
import { Transcript } from "../live/transcript.js"
import { storedWords } from "../live/stored-words.js"
import { AudioOutput } from "../playback/audio-output.js"
import { Conversation } from "../talk/conversation.js"
import { LevelHistory } from "../talk/level-history.js"
import { Personas } from "../talk/personas.js"
import { TalkClient } from "../talk/talk-client.js"
import { RecordingStore } from "../unsent/recording-store.js"
import { Recordings } from "../unsent/recordings.js"
import { byId } from "../web/dom.js"
import { Failure } from "../web/failure.js"
import { saveFile } from "../web/save-file.js"
import { requestTicket, socketUrl } from "../web/ticket.js"
import { handlePageEvents } from "./streaming/page-events.js"
import { ResumePrompt } from "./streaming/resume-prompt.js"
import { StatusView } from "./streaming/status-view.js"
import { WakeLock } from "./streaming/wake-lock.js"
import { CaptionsView } from "./talk/captions-view.js"
import { conversationStatus } from "./talk/conversation-status.js"
import { addShortcuts } from "./talk/keyboard.js"
import { LatencyView } from "./talk/latency-view.js"
import { NoticesView } from "./talk/notices-view.js"
import { PersonasView } from "./talk/personas-view.js"
import { SettingsView } from "./talk/settings-view.js"
import { SoundView } from "./talk/sound-view.js"
import { StageView } from "./talk/stage-view.js"

const REFRESH_INTERVAL_MS = 250
const KIND = "talk"
// Without noise suppression, which harms recognition more than noise does.
const MICROPHONE = { echoCancellation: true, noiseSuppression: false, autoGainControl: true }
const config = JSON.parse(byId("talk-config").textContent)
let earlier = config.session // the conversation to continue, until it is
let shownState = null

const output = new AudioOutput(config.playbackWorklet)
const recordings = new Recordings({ store: new RecordingStore(), owner: config.owner, kind: KIND })
const connection = {
  requestTicket: () => requestTicket(config.tickets),
  socketUrl: (ticket) => socketUrl(config.socket, ticket),
}
const conversation = new Conversation({
  output,
  recordings,
  microphone: new Microphone(config.captureWorklet, MICROPHONE),
  createClient: (options) => new TalkClient({ ...options, ...connection }),
})
const { session } = conversation

const settings = new SettingsView({
  config,
  dialog: byId("settings"),
  personas: new PersonasView({
    panel: byId("personas"),
    personas: config.personas,
    store: new Personas(config.apiPersonas),
  }),
  changed: () => applySettings(),
})
const status = new StatusView({
  region: byId("status"),
  unsent: byId("unsent"),
  actions: byId("actions"),
  links: { login: byId("talk").dataset.login, approvalStatus: config.approvalStatus },
  choose: (action) => actions[action](),
})
const stage = new StageView({
  page: byId("talk"),
  parts: {
    button: byId("orb"),
    label: byId("orb-label"),
    state: byId("state"),
    hint: byId("hint"),
    mute: byId("mute"),
    end: byId("end"),
    composer: byId("composer"),
  },
  choose: (action) => actions[action](),
})
const levels = new LevelHistory()
const sound = new SoundView({ canvas: byId("sound"), button: byId("orb"), levels })
const captions = new CaptionsView({ log: byId("captions"), newest: byId("newest"), conversation })
const notices = new NoticesView({ region: byId("notices"), conversation })
const latency = new LatencyView({ panel: byId("latency") })
const wakeLock = new WakeLock()
const resumePrompt = new ResumePrompt({
  noun: "conversation",
  panel: byId("resume-prompt"),
  dialog: byId("discard-dialog"),
  recordings,
  fetchWords: (id, first) => storedWords(config.apiSessions, id, first),
  transcript: new Transcript(), // the server sends the turns of the conversation when it continues
  resume: (recording, words, options) => conversation.resume(recording, { ...settings.options, ...options }),
})

const actions = {
  start: () => start(),
  retry: () => conversation.retry({ ...settings.options, session: earlier?.id }),
  wait: () => start({ wait: true }),
  waitForEngine: () => start({ wait: true }),
  leave: () => session.leave(),
  now: () => session.client.retryNow(),
  giveUp: () => session.leave(),
  save: () => saveFile(wavOf([session.ring.samples]), "conversation", "wav"),
  cancel: () => session.leave(),
  wake: () => session.wakeMicrophone(),
  reopen: () => session.reopenMicrophone(),
  reload: () => location.reload(),
  resume: () => session.resume(),
  finish: () => session.client.release(),
  interrupt: () => conversation.interrupt(),
  unmute: () => conversation.setMuted(false),
  hold: () => conversation.press(),
  release: () => conversation.releaseKey(),
}

function start(options = {}) {
  levels.clear()
  return conversation.start({ ...settings.options, session: earlier?.id, ...options })
}

function toggle() {
  if (!session.isActive) return start()
  if (session.phase === "paused") return session.resume()
  if (session.phase === "running") conversation.setMuted(!conversation.isMuted)
}

function send(event) {
  event.preventDefault()
  const text = byId("typed").value.trim()
  if (text && conversation.sendText(text)) byId("typed").value = ""
}

function show() {
  stage.show(conversation)
  showStatus()
  notices.show()
  latency.show(conversation.latency)
  captions.showConnection()
  wakeLock.wanted = session.phase === "running" || session.phase === "waiting"
  if (conversation.state !== shownState) onState(conversation.state)
}

function onState(state) {
  shownState = state
  session.phase === "idle" ? resumePrompt.show() : resumePrompt.hide()
  if (session.phase === "running") settings.showDevices()
  if (conversation.isConnected) forgetEarlier()
  byId("earlier").hidden = !earlier || session.isActive
  showChoices()
}

// It continues now: a reloaded page offers to resume it, and the next conversation is a new one.
function forgetEarlier() {
  if (!earlier) return
  earlier = null
  history.replaceState(null, "", location.pathname)
}

function showStatus() {
  const shown = conversationStatus(conversation, { isOnline: navigator.onLine })
  byId("status").hidden = !shown
  status.show(shown ?? { tone: "quiet", what: "" }, `${config.sessions}${session.id}/`)
  status.showUnsent(session)
}

function applySettings() {
  output.deviceId = settings.loudspeakerId
  showChoices()
}

// The voice and the model of the conversation, or of the next one.
function showChoices() {
  const model = conversation.info?.model_label ?? settings.model?.label
  const voice = settings.voice?.label
  const host = settings.model?.host // of a model on another machine
  const destination = host && `what is said is sent to ${host} as text`
  byId("with").textContent = [voice, model, destination].filter(Boolean).join(" · ")
  byId("demo").hidden = !(conversation.info?.is_demo ?? settings.model?.isDemo)
}

function showEarlier() {
  if (!earlier) return
  byId("earlier").textContent = `Press Start to continue “${earlier.name}”.`
  conversation.captions.restore(earlier.turns)
}

function showHelp() {
  if (!document.querySelector("dialog[open]")) byId("help").showModal()
}

conversation.addEventListener("change", show)
conversation.addEventListener("frame", ({ detail }) => {
  levels.push(conversation.isSilent ? 0 : detail.rms, conversation.player.level)
  sound.wake()
})
byId("mute").addEventListener("click", () => conversation.setMuted(!conversation.isMuted))
byId("end").addEventListener("click", () => conversation.end())
byId("composer").addEventListener("submit", send)
byId("settings-open").addEventListener("click", () => settings.open(session.isActive))
byId("help-open").addEventListener("click", showHelp)
addShortcuts({
  toggle,
  button: byId("orb"),
  usesHold: () => conversation.isPushToTalk && session.phase === "running",
  hold: actions.hold,
  release: actions.release,
  interrupt: actions.interrupt,
})
setInterval(show, REFRESH_INTERVAL_MS)
for (const name of ["online", "offline"]) addEventListener(name, show)
handlePageEvents(session)

if (!window.isSecureContext) session.fail(new Failure("insecure"))
applySettings()
showEarlier()
show()
