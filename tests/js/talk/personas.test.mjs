import assert from "node:assert/strict"
import { afterEach, beforeEach, test } from "node:test"

import { Personas } from "../../../static/js/talk/personas.js"

let requests, answer, realFetch, personas

beforeEach(() => {
  requests = []
  answer = () => Response.json({ id: 7, name: "Pirate", instructions: "Arr." })
  realFetch = globalThis.fetch
  globalThis.document = { cookie: "csrftoken=abc" }
  globalThis.fetch = async (url, { method, body, headers }) => {
    requests.push([method, url, body && JSON.parse(body), headers["X-CSRFToken"]])
    return answer()
  }
  personas = new Personas("/personas/")
})

afterEach(() => {
  globalThis.fetch = realFetch
  delete globalThis.document
})

test("personas are created, changed and deleted", async () => {
  const created = await personas.create("Pirate", "Arr.")
  await personas.update({ ...created, instructions: "Arrr!" })
  answer = () => new Response(null, { status: 204 })
  assert.equal(await personas.remove(created), null)
  assert.deepEqual(requests, [
    ["POST", "/personas/", { name: "Pirate", instructions: "Arr." }, "abc"],
    ["PATCH", "/personas/7/", { name: "Pirate", instructions: "Arrr!" }, "abc"],
    ["DELETE", "/personas/7/", undefined, "abc"],
  ])
})

for (const [body, status, message] of [
  [{ title: "Invalid request.", detail: "See.", errors: { name: ["It exists."] } }, 400, "It exists."],
  [{ title: "Conflict", detail: "You have 50 personas." }, 409, "You have 50 personas."],
  [{ what: "Not approved.", why: "Pending." }, 403, "Not approved. Pending."],
  [{}, 500, "The server answered with status 500."],
]) {
  test(`status ${status} is explained`, async () => {
    answer = () => Response.json(body, { status })
    await assert.rejects(personas.create("Pirate", "Arr."), { message })
  })
}

test("a network error is explained", async () => {
  answer = () => {
    throw new TypeError("Failed to fetch")
  }
  await assert.rejects(personas.create("Pirate", "Arr."), { message: /can't be reached/ })
})
