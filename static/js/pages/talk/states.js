// What each state of a conversation is called, and what the large button does then: {word, hint, tone, label, action}.
// tone: the color; action: start interrupt finish unmute hold resume, or null.

const START = { tone: "listening", label: "Start", action: "start" }
const BUSY = { tone: "still", label: "Please wait", action: null } // the button shows three dots
const INTERRUPTIBLE = { label: "Interrupt", action: "interrupt" }
const HOLD = { label: "Hold to talk", action: "hold" }

const STATES = {
  idle: START,
  done: START,
  failed: START,
  opening: { ...BUSY, word: "Connecting…", hint: "Allow access to the microphone if your browser asks." },
  connecting: { ...BUSY, word: "Connecting…", hint: "You can speak." },
  waiting: { ...BUSY, word: "Waiting…" },
  queued: { ...BUSY, word: "Waiting…" },
  starting: { ...BUSY, word: "Starting…" },
  reconnecting: { ...BUSY, word: "Reconnecting…" },
  interrupted: { ...BUSY, word: "One moment…" },
  stopping: { ...BUSY, word: "Ending…" },
  paused: { tone: "still", word: "Paused", label: "Resume", action: "resume" },
  listening: {
    tone: "listening",
    word: "Listening",
    hint: "Pause when you have finished, or tap.",
    label: "Done",
    action: "finish",
  },
  thinking: {
    ...INTERRUPTIBLE,
    tone: "thinking",
    word: "Thinking…",
    hint: "Go on speaking, or tap to stop.",
    label: "Stop",
  },
  speaking: { ...INTERRUPTIBLE, tone: "speaking", word: "Speaking", hint: "Speak or tap to interrupt." },
  held: { ...INTERRUPTIBLE, tone: "still", word: "Paused", hint: "You’re speaking. The reply waits.", label: "Stop" },
  muted: {
    tone: "muted",
    word: "Muted",
    hint: "Unmute to speak, or type.",
    label: "Unmute",
    action: "unmute",
  },
  talk: { ...HOLD, tone: "muted", word: "Ready", hint: "Hold the button or Space while you speak." },
}
const HOLDING = {
  tone: "listening",
  word: "Listening",
  hint: "Release when you have finished.",
  label: "Release",
  action: "hold",
}
const REPLYING = ["thinking", "speaking", "held"]

export function stateOf({ state, isPushToTalk, isTalking, isMuted, replyQueuePosition }) {
  const described = STATES[state] ?? STATES.connecting
  if (isPushToTalk && isTalking) return HOLDING
  if (isPushToTalk && REPLYING.includes(state)) return { ...described, ...HOLD, hint: "Hold the button to interrupt." }
  if (state === "thinking" && replyQueuePosition) return { ...described, hint: queueText(replyQueuePosition) }
  if (state === "speaking" && isMuted) return { ...described, hint: "Muted. Tap to interrupt." }
  return described
}

function queueText(position) {
  return `Every voice is in use. You’re number ${position} in the queue.`
}
