// The controls of the chosen voice's engine: a slider for each, with a button to reset it to its default.

import { make } from "../../web/dom.js"

export class ControlsView {
  values // {engine: {control: value}}
  #region
  #changed

  constructor({ region, values, changed }) {
    this.values = values
    this.#region = region
    this.#changed = changed
  }

  show({ engine, controls }) {
    this.#region.replaceChildren(...controls.map((control) => this.#slider(engine, control)))
  }

  // Valid values that differ from the engine's defaults.
  valuesFor({ engine, controls }) {
    const chosen = this.values[engine] ?? {}
    const changed = controls.filter(({ name, default: defaultValue, minimum, maximum }) => {
      const value = chosen[name]
      return value !== undefined && value !== defaultValue && value >= minimum && value <= maximum
    })
    return Object.fromEntries(changed.map(({ name }) => [name, chosen[name]]))
  }

  #slider(engine, { name, label, default: defaultValue, minimum, maximum, step }) {
    const chosen = (this.values[engine] ??= {})
    const slider = Object.assign(make("input"), { type: "range", id: `control-${name}`, min: minimum, max: maximum, step })
    slider.value = chosen[name] ?? defaultValue
    const shown = make("output", "control__value")
    shown.htmlFor = slider.id
    const reset = Object.assign(make("button", "button button--quiet button--small control__reset", "Reset"), { type: "button" })
    reset.setAttribute("aria-label", `Reset ${label.toLowerCase()}`)
    const show = () => {
      shown.textContent = Number(slider.value).toFixed(2)
      reset.hidden = Number(slider.value) === defaultValue
    }
    slider.addEventListener("input", () => {
      chosen[name] = Number(slider.value)
      show()
    })
    slider.addEventListener("change", () => this.#changed())
    reset.addEventListener("click", () => {
      slider.value = defaultValue
      slider.dispatchEvent(new Event("input"))
      slider.dispatchEvent(new Event("change"))
      slider.focus()
    })
    show()
    const text = Object.assign(make("label", "", label), { htmlFor: slider.id })
    return make("div", "control", text, slider, shown, reset)
  }
}
