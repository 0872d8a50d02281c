// Audio of a tab, a window or the whole system, which browsers capture together with its video.

import { Failure } from "../../web/failure.js"

export const SHARED_AUDIO = "shared-audio" // in place of a microphone's device ID

export function canShareAudio() {
  return Boolean(navigator.mediaDevices?.getDisplayMedia)
}

// Call it within a click handler. Throws a Failure, or the browser's own error.
export async function requestSharedAudio() {
  if (!canShareAudio()) throw new Failure("sharingUnsupported")
  const stream = await navigator.mediaDevices.getDisplayMedia({
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false, suppressLocalAudioPlayback: false },
    video: { frameRate: 1, width: 16 }, // mandatory, but not used
    systemAudio: "include",
    selfBrowserSurface: "exclude",
  })
  if (stream.getAudioTracks().length > 0) return stream
  for (const track of stream.getTracks()) track.stop()
  throw new Failure("noSharedAudio")
}
