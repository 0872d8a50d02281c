// The sound of a tab, a window or the whole system, which browsers give together with its picture.

import { Failure } from "../web/failure.js"

export const SHARED_SOUND = "shared-sound" // among the names of microphones

export function canShareSound() {
  return Boolean(navigator.mediaDevices?.getDisplayMedia)
}

// Call it within a click. Throws a failure, or what the browser throws.
export async function askForSharedSound() {
  if (!canShareSound()) throw new Failure("unshareable")
  const stream = await navigator.mediaDevices.getDisplayMedia({
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false, suppressLocalAudioPlayback: false },
    video: { frameRate: 1, width: 16 }, // cannot be declined, and is not looked at
    systemAudio: "include",
    selfBrowserSurface: "exclude",
  })
  if (stream.getAudioTracks().length > 0) return stream
  for (const track of stream.getTracks()) track.stop()
  throw new Failure("soundless")
}
