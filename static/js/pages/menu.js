// Closes menus on Escape, on a click outside and when the focus leaves them.

function closeOnLeave(menu) {
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return
    // The page has its own Escape shortcut.
    event.stopPropagation()
    menu.open = false
    menu.querySelector("summary").focus()
  })
  menu.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !menu.contains(relatedTarget)) menu.open = false
  })
  document.addEventListener("pointerdown", ({ target }) => {
    if (!menu.contains(target)) menu.open = false
  })
}

for (const menu of document.querySelectorAll("details.menu")) closeOnLeave(menu)
