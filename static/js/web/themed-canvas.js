// A canvas with the resolution of the display and the colors of the theme.

export class ThemedCanvas {
  element
  context
  width = 0 // CSS pixels
  height = 0
  colors = {} // by name, as the context accepts them
  #properties
  #changed

  // colors: {name: CSS property}. Calls `changed` first when the size is known, and whenever size or colors change; it
  // draws again, and sets the context's font and the like, which a change of size resets.
  constructor({ element, colors, changed }) {
    this.element = element
    this.context = element.getContext("2d")
    this.#properties = Object.entries(colors)
    this.#changed = changed
    new ResizeObserver(() => this.#resize()).observe(element)
    const theme = { attributeFilter: ["data-theme"] }
    new MutationObserver(() => this.#readColors()).observe(document.documentElement, theme)
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#readColors())
  }

  #resize() {
    const ratio = devicePixelRatio
    this.width = this.element.clientWidth
    this.height = this.element.clientHeight
    this.element.width = Math.round(this.width * ratio)
    this.element.height = Math.round(this.height * ratio)
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0)
    this.#readColors()
  }

  #readColors() {
    const style = getComputedStyle(this.element)
    for (const [name, property] of this.#properties) {
      // The computed value of `color` is in a format that a canvas understands, whatever CSS defines it.
      this.element.style.setProperty("color", `var(${property})`)
      this.colors[name] = style.color
    }
    this.#changed()
  }
}
