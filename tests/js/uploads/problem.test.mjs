import assert from "node:assert/strict"
import { test } from "node:test"
import { problemOf, sizeProblem, textOf } from "../../../static/js/uploads/problem.js"

const responseOf = (status, body) => ({ status, json: async () => JSON.parse(body) })
const problemText = async (status, body) => textOf(await problemOf(responseOf(status, JSON.stringify(body))))

test("the text of problem details is what happened, why, and what to do", async () => {
  const details = { title: "The file is empty.", status: 400, detail: "It contains no data. Check the recording." }
  assert.equal(await problemText(400, details), "The file is empty. It contains no data. Check the recording.")
})

test("invalid fields are named", async () => {
  const details = { title: "Invalid request.", detail: "See “errors” for details.", errors: { name: ["It is too long."] } }
  assert.equal(await problemText(400, details), "Invalid request. It is too long.")
})

test("an account that is not approved learns why", async () => {
  const body = { code: "not_approved", what: "Your account is not approved.", why: "Spam.", action: "Check it." }
  assert.equal(await problemText(403, body), "Your account is not approved. Spam. Check it.")
})

test("a logged-out browser and an old CSRF token ask for a login", async () => {
  for (const [status, code] of [[401, "not_authenticated"], [403, "permission_denied"]]) {
    assert.match(await problemText(status, { title: "…", code }), /^You've been logged out\./)
  }
})

test("an upload that was canceled elsewhere no longer exists", async () => {
  assert.match(await problemText(404, { title: "Not Found", code: "not_found" }), /no longer exists/)
})

test("a response of a proxy has no texts", async () => {
  assert.match(textOf(await problemOf(responseOf(413, "<html>"))), /^The server couldn't process the request\./)
})

test("only a file beyond the limit is too large", () => {
  assert.equal(sizeProblem(2_000_000, 2_000_000), null)
  const text = textOf(sizeProblem(2_000_001, 2_000_000))
  assert.match(text, /^The file is too large\. The file is 3 MB; the limit is 2 MB\. Upload only the audio/)
})
