// The connection of one conversation to the server, over as many WebSockets as necessary: a stream of the microphone's
// audio that never pauses, the replies' audio, and the page's commands. The protocol is in docs/conversations.md.

import { StreamClient } from "../live/stream-client.js"

export class TalkClient extends StreamClient {
  #unsaved

  // unsaved() -> replies that were played and may not be saved, or null at the first connection of a conversation.
  constructor({ unsaved, ...options }) {
    super(options)
    this.#unsaved = unsaved
  }

  get startOptions() {
    return { ...super.startOptions, unsaved: this.#unsaved() }
  }

  // The audio stops only if there is no microphone; the server waits for it.
  pause() {}

  resume() {
    this.pump()
  }

  // The loudspeaker is at `sample` of the reply, and the microphone at sample `at` of the session.
  reportPlayed({ reply, sample, at }) {
    return this.send({ type: "played", reply, sample, at })
  }

  // The user wants silence.
  interrupt() {
    return this.send({ type: "interrupt" })
  }

  // A typed turn. Returns false if it can't be sent now.
  sendText(text) {
    return this.send({ type: "text", text })
  }

  // Push-to-talk: the turn is over.
  release() {
    return this.send({ type: "release" })
  }
}
