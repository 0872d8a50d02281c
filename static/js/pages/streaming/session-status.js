// Status of a session to display: {tone, what, why, action, actions}; tone is quiet, good, busy or bad.

import { formatDuration } from "./durations.js"

const OPENING = {
  tone: "busy",
  what: "Waiting for microphone access.",
  action: "Allow access in your browser's prompt.",
}
const OPENING_SHARED = {
  tone: "busy",
  what: "Waiting for you to choose what to share.",
  action: "Choose a tab or screen and turn on audio sharing.",
}
const CONNECTIONS = {
  connecting: { tone: "busy", what: "Connecting…", why: "Recording has started; you can speak." },
  live: { tone: "good", what: "Listening." },
  interrupted: {
    tone: "busy",
    what: "The speech engine was lost. Switching to another one.",
    why: "Recording continues; the words will catch up.",
  },
}
const LEVEL_HINTS = {
  silent: {
    tone: "bad",
    what: "Listening, but no sound is coming in.",
    why: "The microphone may be muted, or the wrong one may be selected.",
    action: "Unmute it, or stop and choose another one.",
  },
  still: {
    tone: "busy",
    what: "Listening, but no sound is coming in.",
    why: "The shared tab is silent, or its audio isn't shared.",
    action: "Play something, or stop, start again and turn on audio sharing.",
  },
  clipping: {
    tone: "busy",
    what: "Listening, but the input is too loud.",
    why: "The sound is clipping, so words may be missed.",
    action: "Move away from the microphone or lower its level.",
  },
}
const UNSAVED = {
  tone: "busy",
  what: "Listening, but the server can't save right now.",
  why: "Its database isn't responding. Your audio is kept and will be saved when it's back.",
}
const PROBLEMS = {
  interrupted: {
    tone: "bad",
    what: "Microphone interrupted.",
    why: "Your system muted it or gave it to another app, such as a call.",
    action: "It resumes automatically.",
    actions: ["wake"],
  },
  unanswered: {
    tone: "bad",
    what: "The browser hasn't opened the microphone yet.",
    why: "It may be waiting for your answer, or the microphone isn't responding.",
    action: "Look for the browser's question and allow access. If there is none, reload the page.",
    actions: ["reload"],
  },
  stalled: {
    tone: "bad",
    what: "No audio is coming from the microphone.",
    why: "The browser opened it, but receives nothing from it. What you say now isn't recorded.",
    action: "Open it again, or stop and choose another microphone.",
    actions: ["reopen"],
  },
  stalledSharing: {
    tone: "bad",
    what: "No audio is coming from what you share.",
    why: "The browser receives nothing from it.",
    action: "Play something, or share it again.",
    actions: ["reopen"],
  },
  lost: {
    tone: "bad",
    what: "Paused: the microphone was unplugged.",
    why: "No sound is coming in.",
    action: "Plug it in again and resume, or resume with the default microphone.",
  },
  unshared: {
    tone: "bad",
    what: "Paused: sharing stopped.",
    why: "The browser no longer provides its audio.",
    action: "Resume and choose what to share.",
  },
  full: {
    tone: "bad",
    what: "Paused: the local buffer is full.",
    why: "Too much audio is waiting for the server. Nothing is lost.",
    action: "Keep this page open and resume when the server has caught up.",
    actions: ["now", "save"],
  },
}

const UNANSWERED_AT_START = { ...PROBLEMS.unanswered, actions: ["cancel", "reload"] }

export function sessionStatus(session, { isOnline }) {
  if (session.problem === "unanswered" && session.phase === "opening") return UNANSWERED_AT_START
  if (session.problem) return PROBLEMS[session.problem]
  switch (session.phase) {
    case "opening":
      return session.isSharedAudio ? OPENING_SHARED : OPENING
    case "waiting":
      return waiting(session)
    case "running":
      return running(session, isOnline)
    case "paused":
      return { tone: "quiet", what: "Paused.", why: "Nothing is recorded until you resume." }
    case "stopping":
      return stopping(session, isOnline)
    case "done":
      return { tone: "good", what: "Saved.", actions: ["session"] }
    case "failed":
      return failed(session)
    default:
      return { tone: "quiet", what: "Ready." }
  }
}

function waiting({ connection, client }) {
  const position =
    connection === "queued"
      ? `The server is at capacity. You're number ${client.queuePosition} in the queue.`
      : "Joining the queue."
  return {
    tone: "busy",
    what: connection === "starting" ? starting(client) : position,
    why: "Recording hasn't started.",
    action: "It starts automatically when it's your turn.",
    actions: ["leave"],
  }
}

function starting({ progress }) {
  return `The speech engine is starting${progress ? `: ${progress}` : ""}.`
}

function running({ connection, client, unsent_s, ring, isUnsaved, levelHint }, isOnline) {
  if (ring.isNearlyFull) return nearlyFull(ring.capacity_s - unsent_s, isOnline)
  if (connection === "reconnecting") return reconnecting(isOnline, "Recording continues; nothing is lost.")
  if (connection === "queued") {
    return {
      tone: "busy",
      what: `The server is at capacity. You're number ${client.queuePosition} in the queue.`,
      why: "Recording continues; the words will catch up.",
    }
  }
  if (connection === "starting") return { ...CONNECTIONS.connecting, what: starting(client) }
  if (connection === "live" && isUnsaved) return UNSAVED
  if (connection === "live" && levelHint) return LEVEL_HINTS[levelHint]
  return CONNECTIONS[connection] ?? CONNECTIONS.connecting
}

function stopping({ connection }, isOnline) {
  if (connection !== "reconnecting") return { tone: "busy", what: "Finishing…" }
  const waiting = reconnecting(isOnline, "The last audio is kept here until it's sent.")
  return { ...waiting, action: "Keep this page open, or come back later.", actions: ["now", "giveUp"] }
}

function nearlyFull(free_s, isOnline) {
  const free = free_s < 60 ? "less than a minute" : formatDuration(free_s) // minutes: each change is announced
  return {
    tone: "bad",
    what: `${isOnline ? "The server is behind" : "You are offline"}: ${free} of buffer left.`,
    why: "Nothing is lost. Recording pauses when the buffer is full.",
    actions: ["now"],
  }
}

function reconnecting(isOnline, why) {
  const what = isOnline ? "Connection lost. Reconnecting…" : "You are offline."
  return { tone: "bad", what, why, actions: ["now"] }
}

function failed({ failure, id, unsent_s }) {
  const canOpenSession = id && failure.kind !== "notApproved" && failure.kind !== "loggedOut"
  const actions = [...failure.actions, ...(unsent_s >= 1 ? ["save"] : []), ...(canOpenSession ? ["session"] : [])]
  return { tone: "bad", ...failure, actions }
}
