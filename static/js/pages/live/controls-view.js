// The big button, which is Start, Pause or Resume by turns, and Stop beside it.

const LABELS = { running: "Pause", paused: "Resume" }
const WAITING = ["opening", "waiting", "stopping"]
const STOPPABLE = ["opening", "running", "paused"]

export class ControlsView {
  #page
  #toggle
  #label
  #stop

  constructor({ page, toggle, label, stop }) {
    this.#page = page
    this.#toggle = toggle
    this.#label = label
    this.#stop = stop
  }

  show(phase) {
    this.#page.dataset.phase = phase
    this.#label.textContent = LABELS[phase] ?? "Start"
    // Not `disabled`, which would take the focus away from those who came by keyboard.
    this.#toggle.setAttribute("aria-disabled", String(WAITING.includes(phase)))
    if (document.activeElement === this.#stop && !STOPPABLE.includes(phase)) this.#toggle.focus()
    this.#stop.hidden = !STOPPABLE.includes(phase)
  }
}
