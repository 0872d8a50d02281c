// The upload page's client of the REST API: its requests, and what it makes of the responses.

import assert from "node:assert/strict"
import { test } from "node:test"
import { UploadRejected, UploadServer } from "../../../static/js/uploads/server.js"

const STATUS = { id: "u1", received: 7, state: "uploading" }

function serverWith(...responses) {
  const requests = []
  const fetch = async (url, { method, body, headers }) => {
    requests.push({ method, url, body, headers })
    const [status, json] = responses.shift()
    return { status, ok: status < 300, json: async () => json }
  }
  return { server: new UploadServer({ url: "/uploads/", token: () => "secret", fetch }), requests }
}

async function rejection(promise) {
  const error = await promise.then(() => null, (error) => error)
  assert.ok(error instanceof UploadRejected, String(error))
  return error.problem
}

test("the list is read to its last page", async () => {
  const { server, requests } = serverWith(
    [200, { results: [{ id: "u1" }, { id: "u2" }], next: "http://localhost/uploads/?page=2" }],
    [200, { results: [{ id: "u3" }], next: null }],
  )
  assert.deepEqual((await server.all()).map(({ id }) => id), ["u1", "u2", "u3"])
  assert.deepEqual(requests.map(({ url }) => url), ["/uploads/?per_page=200&page=1", "/uploads/?per_page=200&page=2"])
})

test("a part is sent to the content, with the CSRF token", async () => {
  const { server, requests } = serverWith([200, STATUS])
  assert.deepEqual(await server.sendPart("u1", 3, "data", null), STATUS)
  const [{ method, url, headers }] = requests
  assert.deepEqual([method, url, headers["X-CSRFToken"]], ["PUT", "/uploads/u1/content/?offset=3", "secret"])
  assert.equal(headers["Content-Type"], "application/octet-stream")
})

test("the last part is sent with the file's hash", async () => {
  const { server, requests } = serverWith([200, STATUS])
  await server.sendPart("u1", 3, "data", "abc")
  assert.equal(requests[0].url, "/uploads/u1/content/?offset=3&sha256=abc")
})

test("when other bytes follow, the status says which", async () => {
  const { server, requests } = serverWith([409, { title: "Conflict", code: "other_bytes_follow" }], [200, STATUS])
  assert.deepEqual(await server.sendPart("u1", 3, "data"), STATUS)
  assert.deepEqual([requests[1].method, requests[1].url], ["GET", "/uploads/u1/"])
})

test("a truncated file is accepted, and an upload removed", async () => {
  const { server, requests } = serverWith([200, STATUS], [204])
  await server.acceptTruncated("u1")
  assert.equal(await server.remove("u1"), null)
  assert.deepEqual(requests.map(({ method, url }) => [method, url]), [["POST", "/uploads/u1/accept/"], ["DELETE", "/uploads/u1/"]])
})

test("a rejection has the server's texts", async () => {
  const { server } = serverWith([400, { title: "The file is empty.", detail: "It contains no data. Check it.", code: "refused" }])
  const problem = await rejection(server.create({}))
  assert.deepEqual(problem, { what: "The file is empty.", why: "It contains no data. Check it.", action: "" })
})

for (const status of [429, 500, 503]) {
  test(`a request is retried after status ${status}`, async () => {
    const { server } = serverWith([status, { title: "…" }])
    const error = await server.status("u1").catch((error) => error)
    assert.ok(!(error instanceof UploadRejected))
  })
}
