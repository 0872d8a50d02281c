// An AudioOutput whose audio thread is the test.

export class FakeOutput {
  latency = 0
  nodes = []
  failure = null

  async prepare() {
    if (this.failure) throw this.failure
  }

  connect(wait) {
    const node = new FakeNode(wait)
    this.nodes.push(node)
    return node
  }

  get node() {
    return this.nodes.at(-1)
  }
}

class FakeNode {
  posted = []
  port = { postMessage: (message) => this.posted.push(message) }

  constructor(wait) {
    this.wait = wait
  }

  report(state, played, wait = this.wait) {
    this.port.onmessage({ data: { state, played, underruns: 0, wait } })
  }

  disconnect() {}
}
