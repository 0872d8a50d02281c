// Explains why a passkey failed, and disables passkeys where browsers don't support them.

const error = document.querySelector("#passkey-error")
const isAddress = /^[\d.]+$|^\[/.test(location.hostname)

function showError(message) {
  error.textContent = message
  error.hidden = false
}

if (!window.PublicKeyCredential || isAddress) {
  const button = document.querySelector("#mfa_webauthn_add, #mfa_webauthn_authenticate")
  if (button) {
    button.disabled = true
    showError("Passkeys need HTTPS with a domain name, or localhost. This page has neither.")
  }
} else {
  document.querySelector("#passkey_login")?.removeAttribute("hidden")
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault()
  const { name, message } = event.detail.exception
  if (name === "NotAllowedError") showError("The passkey request timed out or was canceled. Try again.")
  else if (name === "InvalidStateError") showError("This key is already registered. Use another one.")
  else showError(`The passkey didn't work: ${message}`)
})
