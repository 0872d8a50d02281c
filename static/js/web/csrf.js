// The CSRF token, which proves that a request comes from a page of the site.

export function csrfToken() {
  const pair = document.cookie.split("; ").find((entry) => entry.startsWith("csrftoken="))
  return pair ? decodeURIComponent(pair.slice("csrftoken=".length)) : ""
}
