// A browser's audio, whose steps succeed, fail or hang as the test says.

export const HANGS = new Promise(() => {})

export class FakeBrowser {
  resume = async () => {}
  addModule = async () => {}
  getUserMedia = async () => new FakeStream()
  getDisplayMedia = async () => new FakeStream()
  permission = "granted"
  contexts = []
  nodes = []

  install() {
    const browser = this
    globalThis.isSecureContext = true
    globalThis.AudioContext = class {
      state = "running"
      audioWorklet = { addModule: (url) => browser.addModule(url) }
      destination = {}
      isClosed = false
      constructor() {
        browser.contexts.push(this)
      }
      resume = () => browser.resume()
      close = () => (this.isClosed = true)
      createMediaStreamSource = () => ({ connect: (node) => node })
    }
    globalThis.AudioWorkletNode = class {
      port = { postMessage() {} }
      constructor() {
        browser.nodes.push(this)
      }
      connect = () => {}
      disconnect() {}
    }
    setNavigator({
      mediaDevices: {
        getUserMedia: (options) => browser.getUserMedia(options),
        getDisplayMedia: (options) => browser.getDisplayMedia(options),
      },
      permissions: { query: async () => ({ state: browser.permission }) },
    })
  }

  // The newest worklet delivers a frame.
  deliver(frame = { samples: new Int16Array(1920), rms: 0.1, peak: 0.2 }) {
    this.nodes.at(-1).port.onmessage({ data: frame })
  }
}

export class FakeStream {
  active = true
  track = Object.assign(new EventTarget(), {
    enabled: true,
    stop: () => (this.active = false),
    getSettings: () => ({ deviceId: "1" }),
  })
  getAudioTracks = () => [this.track]
  getTracks = () => [this.track]
}

export function setNavigator(value) {
  Object.defineProperty(globalThis, "navigator", { value, configurable: true, writable: true })
}
