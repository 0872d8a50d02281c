// Copies a new token or invitation link with one click.

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
