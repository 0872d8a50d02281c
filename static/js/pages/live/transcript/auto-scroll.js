// Whether a growing log scrolls to its newest line: it does unless its reader has scrolled up.

const NEAR_END_PX = 48

export class AutoScroll {
  isOn = true

  // Called with the log after each scroll, whether by the user or by a script.
  onScroll({ scrollHeight, scrollTop, clientHeight }) {
    this.isOn = scrollHeight - scrollTop - clientHeight < NEAR_END_PX
  }

  resume() {
    this.isOn = true
  }
}
