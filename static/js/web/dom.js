export function byId(id) {
  return document.getElementById(id)
}

export function make(name, className, ...children) {
  const element = document.createElement(name)
  if (className) element.className = className
  element.append(...children)
  return element
}
