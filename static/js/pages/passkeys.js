// Says why a passkey did not work, and offers none where browsers have none: they want a name, and https or localhost.

const told = document.querySelector("#passkey-told")
const isAddress = /^[\d.]+$|^\[/.test(location.hostname)

function tell(message) {
  told.textContent = message
  told.hidden = false
}

if (!window.PublicKeyCredential || isAddress) {
  const button = document.querySelector("#mfa_webauthn_add, #mfa_webauthn_authenticate")
  if (button) {
    button.disabled = true
    tell("Browsers know passkeys only on pages with https and a name, or on localhost, and this page is neither.")
  }
} else {
  document.querySelector("#passkey_login")?.removeAttribute("hidden")
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault()
  const { name, message } = event.detail.exception
  if (name === "NotAllowedError") tell("Nothing was done: the passkey was not used in time, or you cancelled. Try again.")
  else if (name === "InvalidStateError") tell("This key is known here already. Take another one.")
  else tell(`The passkey did not work: ${message}`)
})
