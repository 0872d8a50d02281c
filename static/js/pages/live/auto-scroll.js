// Whether a log that grows keeps its newest line in sight: unless its reader has scrolled up to look at something else.

const NEAR_END_PX = 48

export class Following {
  isOn = true

  // Of the log, after it was scrolled, by whomever.
  scrolled({ scrollHeight, scrollTop, clientHeight }) {
    this.isOn = scrollHeight - scrollTop - clientHeight < NEAR_END_PX
  }

  goOn() {
    this.isOn = true
  }
}
