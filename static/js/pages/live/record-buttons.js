// The main button, which is Start, Pause or Resume depending on the phase, and Stop beside it.

const LABELS = { running: "Pause", paused: "Resume" }
const DISABLED = ["opening", "waiting", "stopping"]
const STOPPABLE = ["opening", "running", "paused"]

export class RecordButtons {
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
    // Not `disabled`, which would move the focus of keyboard users.
    this.#toggle.setAttribute("aria-disabled", String(DISABLED.includes(phase)))
    if (document.activeElement === this.#stop && !STOPPABLE.includes(phase)) this.#toggle.focus()
    this.#stop.hidden = !STOPPABLE.includes(phase)
  }
}
