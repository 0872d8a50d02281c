// The menus close like every menu: by Escape, and by going elsewhere.

function closeLikeAMenu(menu) {
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return
    // Escape means something else to the page below.
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

for (const menu of document.querySelectorAll("details.menu")) closeLikeAMenu(menu)
