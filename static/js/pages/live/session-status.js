// What to tell about a session: {tone, what, why, action, ways}; tone is quiet, good, busy or bad.

import { span } from "./durations.js"

const OPENING = {
  tone: "busy",
  what: "Asking for the microphone.",
  action: "Allow it in the question that your browser shows.",
}
const OPENING_SHARED = {
  tone: "busy",
  what: "Asking what to share.",
  action: "Choose a tab or a screen, and tick that its sound is shared as well.",
}
const CONNECTIONS = {
  connecting: { tone: "busy", what: "Connecting.", why: "You are being recorded already: speak." },
  live: { tone: "good", what: "Listening." },
  interrupted: {
    tone: "busy",
    what: "The speech engine was lost; another one is being looked for.",
    why: "Recording goes on, and the words will follow.",
  },
}
const SOUND_HINTS = {
  silent: {
    tone: "bad",
    what: "Listening, but no sound arrives.",
    why: "The microphone may be switched off, or another one may be meant.",
    action: "Look for its switch, or stop and choose another one.",
  },
  still: {
    tone: "busy",
    what: "Listening, but nothing is to be heard.",
    why: "What is shared plays nothing at the moment, or its sound is not shared.",
    action: "Let it play; or stop, start again and tick that the sound is shared as well.",
  },
  clipping: {
    tone: "busy",
    what: "Listening, but it is too loud.",
    why: "What is louder than the microphone can take is cut off, and words with it.",
    action: "Move away from it a little, or turn it down.",
  },
}
const UNSTORED = {
  tone: "busy",
  what: "Listening; the server cannot store anything at the moment.",
  why: "Its database does not answer. What you say is kept, and stored when it does.",
}
const MICROPHONE_PROBLEMS = {
  interrupted: {
    tone: "bad",
    what: "The microphone is interrupted.",
    why: "The system took it away, for a call perhaps, or muted it.",
    action: "It comes back by itself when that is over.",
    ways: ["wake"],
  },
  lost: {
    tone: "bad",
    what: "Paused: the microphone was unplugged.",
    why: "It no longer sends any sound.",
    action: "Plug it in again, then resume; without it the default microphone is used.",
  },
  unshared: {
    tone: "bad",
    what: "Paused: the sharing was ended.",
    why: "The browser gives its sound no longer.",
    action: "Resume, and choose again what to share.",
  },
  full: {
    tone: "bad",
    what: "Paused: there is no room here for more.",
    why: "Too much is waiting for the server. Nothing that you said is lost.",
    action: "Keep this page open, and resume when the server has caught up.",
    ways: ["now", "save"],
  },
}

export function situationOf(session, { isOnline }) {
  if (session.problem) return MICROPHONE_PROBLEMS[session.problem]
  switch (session.phase) {
    case "opening":
      return session.isOfShared ? OPENING_SHARED : OPENING
    case "waiting":
      return waiting(session)
    case "running":
      return running(session, isOnline)
    case "paused":
      return { tone: "quiet", what: "Paused.", why: "Nothing is recorded until you resume." }
    case "stopping":
      return stopping(session, isOnline)
    case "done":
      return { tone: "good", what: "Stored.", ways: ["session"] }
    case "failed":
      return failed(session)
    default:
      return { tone: "quiet", what: "Ready." }
  }
}

function waiting({ connection, client }) {
  const place = connection === "queued" ? `You are number ${client.queuePosition} in the queue.` : "Joining the queue."
  return {
    tone: "busy",
    what: connection === "starting" ? starting(client) : `Waiting for a free place. ${place}`,
    why: "Nothing is recorded while you wait.",
    action: "Recording begins by itself when a place is free.",
    ways: ["leave"],
  }
}

function starting({ progress }) {
  return `The speech engine is being started${progress ? `: ${progress}` : ""}.`
}

function running({ connection, client, kept, ring, isUnstored, soundHint }, isOnline) {
  if (ring.isNearlyFull) return nearlyFull(ring.room - kept, isOnline)
  if (connection === "reconnecting") return reconnecting(isOnline, "Recording goes on, and nothing is lost.")
  if (connection === "queued") {
    return {
      tone: "busy",
      what: `Waiting for a free place, number ${client.queuePosition} in the queue.`,
      why: "Recording goes on, and the words will follow.",
    }
  }
  if (connection === "starting") return { ...CONNECTIONS.connecting, what: starting(client) }
  if (connection === "live" && isUnstored) return UNSTORED
  if (connection === "live" && soundHint) return SOUND_HINTS[soundHint]
  return CONNECTIONS[connection] ?? CONNECTIONS.connecting
}

function stopping({ connection }, isOnline) {
  if (connection !== "reconnecting") return { tone: "busy", what: "Finishing the last words." }
  const waiting = reconnecting(isOnline, "What was recorded last is kept here until it is sent.")
  return { ...waiting, action: "Keep this page open, or come back to it later.", ways: ["now", "giveUp"] }
}

function nearlyFull(room, isOnline) {
  const left = room < 60 ? "less than a minute" : span(room) // by minutes: each change is read out
  return {
    tone: "bad",
    what: `${isOnline ? "The server is behind" : "You are offline"}: there is room here for ${left} more.`,
    why: "Nothing is lost. When the room is used up, recording pauses.",
    ways: ["now"],
  }
}

function reconnecting(isOnline, why) {
  const what = isOnline ? "The connection was lost; reconnecting." : "You are offline."
  return { tone: "bad", what, why, ways: ["now"] }
}

function failed({ failure, id, kept }) {
  const maySeeSession = id && failure.kind !== "notApproved" && failure.kind !== "signedOut"
  const ways = [...failure.ways, ...(kept >= 1 ? ["save"] : []), ...(maySeeSession ? ["session"] : [])]
  return { tone: "bad", ...failure, ways }
}
