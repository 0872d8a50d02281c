// A new token is on its way to a program: one click copies it.

const token = document.querySelector("#token")
const copy = document.querySelector("#copy")

token.addEventListener("focus", () => token.select())

if (navigator.clipboard) {
  copy.hidden = false
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(token.value)
    document.querySelector("#copied").textContent = "Copied."
  })
}
