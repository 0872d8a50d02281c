// A conversation as the user experiences it: a live session of what they say, and the replies that are played to them.
//
// Emits `change` when the state may have changed, and `frame` for each recorded frame.

import { SAMPLE_RATE } from "../audio/samples.js"
import { LiveSession } from "../live/live-session.js"
import { Captions } from "./captions.js"
import { ReplyPlayer } from "./reply-player.js"
import { TurnLatency } from "./turn-latency.js"
import { UnsavedReplies } from "./unsaved-replies.js"
import { UserSpeech } from "./user-speech.js"

const MAX_UNREPORTED_MS = 250 // while the microphone records nothing
const MAX_NOTICES = 3
const CONNECTED = ["live", "interrupted"]

export class Conversation extends EventTarget {
  session
  player
  speech = new UserSpeech()
  captions = new Captions()
  latency = new TurnLatency()
  turnState = "listening" // ending replying held
  isMuted = false
  isPushToTalk = false
  isTalking = false // the push-to-talk key is held
  info = null // {model, model_label, is_demo, voice} while the conversation runs
  replyQueuePosition = null
  hearsItself = false
  notices = [] // {what, why, action}
  #microphone
  #unsaved = new UnsavedReplies()
  #hasBegun = false // an earlier connection, of this page or another one, has begun the conversation
  #isReplyOver = false // the reply to the latest turn was played to its end
  #unreported = null // {reply, sample, time} of the newest position of the loudspeaker
  #reportedAt = 0

  // createClient({ring, session, options, unsaved}) -> TalkClient; output: an AudioOutput.
  constructor({ microphone, output, recordings, createClient }) {
    super()
    this.#microphone = microphone
    this.player = new ReplyPlayer(output)
    this.session = new LiveSession({
      microphone,
      recordings,
      transcript: this.speech,
      createClient: (options) => {
        const unsaved = () => (this.#hasBegun ? this.#unsaved.all : null)
        return this.#subscribe(createClient({ ...options, unsaved }))
      },
    })
    this.session.addEventListener("change", () => this.#onSessionChange())
    this.session.addEventListener("frame", ({ detail }) => this.#onFrame(detail))
    this.player.addEventListener("change", () => this.#onPlayerChange())
    this.player.addEventListener("progress", ({ detail }) => this.#onProgress(detail))
    this.player.addEventListener("audible", ({ detail }) => {
      this.latency.audible(this.player.reply, detail.at)
      this.#change()
    })
  }

  // idle opening waiting connecting queued starting reconnecting interrupted listening talk thinking speaking held
  // muted paused stopping done failed; "talk" means that push-to-talk is on and the key isn't held.
  get state() {
    const { phase, connection } = this.session
    if (phase !== "running") return phase
    if (connection !== "live") return connection
    if (this.turnState === "held") return "held"
    if (this.player.isAudible) return "speaking"
    if (this.isAwaitingReply) return "thinking"
    if (this.isPushToTalk) return this.isTalking ? "listening" : "talk"
    return this.isMuted ? "muted" : "listening"
  }

  // Whether a reply is being generated. One that was played to its end is not, until the server notices it.
  get isAwaitingReply() {
    return this.turnState === "ending" || (this.turnState === "replying" && !this.#isReplyOver)
  }

  // Whether there is a reply, or will be, that the user can interrupt.
  get isReplying() {
    return this.session.phase === "running" && (this.player.isActive || this.turnState !== "listening")
  }

  get isConnected() {
    return this.session.phase === "running" && CONNECTED.includes(this.session.connection)
  }

  // Whether silence is recorded in place of the user.
  get isSilent() {
    return this.isPushToTalk ? !this.isTalking : this.isMuted
  }

  // Call it within a click handler. options: fields of the start message; `session` is the ID of one to continue.
  start(options) {
    this.#reset(options)
    return this.#open(() => this.session.start(options))
  }

  // Continues an earlier page's conversation, whose audio may not have been sent yet.
  resume(recording, options) {
    this.#reset(options)
    this.#hasBegun = recording.session !== null
    return this.#open(() => this.session.resumeRecording(recording, [], options))
  }

  retry(options) {
    return this.#open(() => this.session.retry(options))
  }

  end() {
    this.#stopReply()
    return this.session.stop()
  }

  setMuted(isMuted) {
    this.isMuted = isMuted
    this.#applyMute()
  }

  // The push-to-talk key was pressed, which also interrupts a reply.
  press() {
    if (!this.isPushToTalk || this.isTalking || this.session.phase !== "running") return
    this.interrupt()
    this.isTalking = true
    this.#applyMute()
  }

  async releaseKey() {
    if (!this.isTalking) return
    this.isTalking = false
    await this.#microphone.drain() // the end of the last word
    this.#applyMute()
    this.session.client?.pump()
    this.session.client?.release()
  }

  // Silence at once, whatever the connection does.
  interrupt() {
    if (!this.isReplying) return
    this.#stopReply()
    this.#reportPlayed()
    this.session.client.interrupt()
    this.#change()
  }

  // Returns whether the text was sent; it can be sent again later.
  sendText(text) {
    if (!this.isConnected) return false
    this.#stopReply()
    this.#reportPlayed()
    return this.session.client.sendText(text)
  }

  dismiss(notice) {
    this.notices = this.notices.filter((each) => each !== notice)
    this.#change()
  }

  dismissEcho() {
    this.hearsItself = false
    this.#change()
  }

  // Playback may start only within a click, and iOS opens the microphone only there, so neither waits for the other.
  async #open(openSession) {
    const prepared = this.player.prepare()
    const [playback] = await Promise.allSettled([prepared, openSession()])
    if (playback.status === "rejected") this.session.fail(playback.reason)
  }

  #reset({ push_to_talk = false }) {
    this.player.stop()
    this.player.reply = null
    for (const part of [this.captions, this.latency, this.#unsaved]) part.clear()
    this.#hasBegun = false
    this.isPushToTalk = push_to_talk
    Object.assign(this, { turnState: "listening", isTalking: false, hearsItself: false, notices: [] })
    Object.assign(this, { info: null, replyQueuePosition: null })
  }

  #subscribe(client) {
    client.addEventListener("audio", ({ detail }) => this.player.push(detail))
    client.addEventListener("message", ({ detail }) => {
      this.#handlers[detail.type]?.(detail)
      this.#change()
    })
    return client
  }

  #handlers = {
    conversation: ({ turns, model, model_label, is_demo, voice }) => {
      this.player.stop()
      this.#unreported = null
      this.speech.finish()
      this.#hasBegun = true
      this.#unsaved.renumber()
      this.captions.restore(turns)
      this.info = { model, model_label, is_demo, voice }
      this.turnState = "listening"
    },
    turn_state: ({ state }) => this.#setTurnState(state),
    turn: ({ text, is_typed, end }) => {
      this.speech.finish()
      this.#isReplyOver = false
      this.captions.addUserTurn(text, is_typed)
      this.latency.turnEnded(is_typed ? null : this.session.timeOf(end))
    },
    reply_queued: ({ queue_position }) => (this.replyQueuePosition = queue_position),
    reply_started: ({ reply, is_announcement }) => {
      this.replyQueuePosition = null
      this.captions.startReply(reply)
      this.latency.replyStarted(reply)
      if (!is_announcement) this.#unsaved.start(reply)
      this.player.start(reply)
    },
    reply_word: (word) => {
      this.captions.addReplyWord(word)
      this.#unsaved.addWord(word)
    },
    reply_saved: ({ reply }) => this.#unsaved.saved(reply),
    reply_ended: ({ reply }) => reply === this.player.reply && this.player.end(),
    reply_cut: ({ reply, text }) => {
      this.captions.cutReply(reply, text)
      if (reply === this.player.reply) this.player.stop()
    },
    latency: (measured) => this.latency.measured(measured),
    notice: ({ what, why, action }) => {
      const others = this.notices.filter((notice) => notice.what !== what)
      this.notices = [...others, { what, why, action }].slice(-MAX_NOTICES)
    },
    echo: () => (this.hearsItself = true),
  }

  #setTurnState(state) {
    if (state === "held") this.player.pause()
    if (state === "replying") {
      if (this.turnState === "held") this.speech.finish() // a sign of attention, or a false alarm
      this.player.resume()
    }
    if (state === "listening") this.replyQueuePosition = null
    this.turnState = state
  }

  #stopReply() {
    if (!this.player.isActive) return
    this.captions.cutReply(this.player.reply)
    this.player.stop()
  }

  #onSessionChange() {
    const { phase } = this.session
    if (phase === "failed" || phase === "done" || phase === "idle") this.#stopReply()
    this.#applyMute()
  }

  #onPlayerChange() {
    if (!this.player.isActive && this.player.reply !== null) this.captions.endReply(this.player.reply)
    if (this.player.isComplete) {
      this.#isReplyOver = true
      this.#unsaved.complete(this.player.reply)
    }
    this.#change()
  }

  #onProgress({ reply, sample }) {
    this.captions.showReplyUntil(reply, sample / SAMPLE_RATE)
    const time = performance.now()
    this.#unreported = { reply, sample, time }
    if (time - this.#reportedAt > MAX_UNREPORTED_MS) this.#reportPlayed()
  }

  #onFrame(frame) {
    this.session.client?.pump() // a report refers to audio that the server has
    this.#reportPlayed()
    this.#emit("frame", frame)
  }

  #reportPlayed() {
    if (!this.#unreported) return
    const { reply, sample, time } = this.#unreported
    this.#unreported = null
    this.#reportedAt = performance.now()
    const at = this.session.sampleAt(time)
    const unrecorded = Math.max(0, at - this.session.ring.end)
    const report = { reply, sample: Math.max(0, sample - unrecorded), at: at - unrecorded }
    this.#unsaved.played(report)
    this.session.client?.reportPlayed(report)
  }

  // The session itself mutes the microphone while it waits for a slot.
  #applyMute() {
    if (this.session.phase === "running") this.#microphone.muted = this.isSilent
    this.#change()
  }

  #change() {
    this.#emit("change")
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
