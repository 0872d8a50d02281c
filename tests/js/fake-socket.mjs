// A WebSocket whose server is the test.

export class FakeSocket {
  static CONNECTING = 0
  static OPEN = 1
  static CLOSED = 3
  static all = []

  static get newest() {
    return FakeSocket.all.at(-1)
  }

  readyState = FakeSocket.CONNECTING
  bufferedAmount = 0
  texts = []
  audio = []

  constructor(url) {
    this.url = url
    FakeSocket.all.push(this)
  }

  send(data) {
    typeof data === "string" ? this.texts.push(JSON.parse(data)) : this.audio.push(data)
  }

  close() {
    this.readyState = FakeSocket.CLOSED
  }

  accept() {
    this.readyState = FakeSocket.OPEN
    this.onopen()
  }

  receive(type, fields = {}) {
    this.onmessage({ data: JSON.stringify({ type, ...fields }) })
  }

  closeWith(code) {
    this.readyState = FakeSocket.CLOSED
    this.onclose({ code })
  }

  get samplesSent() {
    return this.audio.reduce((sum, samples) => sum + samples.length, 0)
  }
}
