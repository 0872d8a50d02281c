// Status of a conversation to announce: {tone, what, why, action, actions}, or null where its state says everything.

import { sessionStatus } from "../streaming/session-status.js"

const SILENT = [
  ...["idle", "opening", "connecting", "stopping"],
  ...["listening", "talk", "thinking", "speaking", "held", "muted"],
]
const ENDED = { tone: "good", what: "The conversation was saved.", actions: ["session"] }

export function conversationStatus(conversation, { isOnline }) {
  const { session, state } = conversation
  if (state === "done") return ENDED
  const needsAttention = session.problem || session.isUnsaved || session.ring.isNearlyFull || hasHint(conversation)
  if (SILENT.includes(state) && !needsAttention) return null
  return sessionStatus(session, { isOnline })
}

// Silence from a muted microphone is no problem.
function hasHint({ session, state, isSilent }) {
  return state === "listening" && !isSilent && session.levelHint !== null
}
