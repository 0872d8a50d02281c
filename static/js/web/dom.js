export function byId(id) {
  return document.getElementById(id)
}

export function make(name, className, ...children) {
  const element = document.createElement(name)
  if (className) element.className = className
  element.append(...children)
  return element
}

// The descendants with a `data-part` attribute, by its value.
export function partsOf(element) {
  return Object.fromEntries([...element.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]))
}

// options: [[value, label], …]. A value that is not among them leaves the first one chosen.
export function fillSelect(select, options, chosen) {
  select.replaceChildren(...options.map(([value, label]) => Object.assign(make("option", "", label), { value })))
  if (options.some(([value]) => value === chosen)) select.value = chosen
}
