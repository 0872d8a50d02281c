// The page of a session, for its owner or through a share link: connects the transcript, the player and the tools.

import { RecordingPlayer } from "../playback/recording-player.js"
import { byId } from "../web/dom.js"
import { Editor } from "./session/editor.js"
import { PlayerView } from "./session/player-view.js"
import { Replacer } from "./session/replacer.js"
import { SessionWaveform } from "./session/session-waveform.js"
import { Tools, copy, textOf } from "./session/tools.js"
import { WordNote } from "./session/word-note.js"
import { WordsView } from "./session/words-view.js"

const transcript = byId("transcript")
const words = new WordsView(transcript)
const player = byId("audio") ? createPlayer(byId("audio")) : null
const waveform = byId("wave") ? createWaveform(byId("wave")) : null
const replacer = byId("replacer") ? new Replacer({ form: byId("replacer"), button: byId("find"), transcript }) : null

function createPlayer(audio) {
  const seconds = Number(byId("player").dataset.seconds)
  const player = new RecordingPlayer({ audio, seconds, timeline: words.timeline })
  const parts = { play: byId("play"), at: byId("at"), skip: byId("skip"), rate: byId("rate"), wave: byId("wave") }
  const view = new PlayerView({ player, parts })
  player.addEventListener("at", ({ detail: seconds }) => {
    view.showTime(seconds)
    waveform.at = seconds
    words.highlight(seconds, { follows: player.isPlaying })
  })
  return player
}

function createWaveform(canvas) {
  const waveform = new SessionWaveform({ canvas, seconds: Number(byId("player").dataset.seconds), words })
  let isDragging = false
  const jump = (event) => goTo(waveform.secondsAt(event.clientX), { scrolls: !player })
  canvas.addEventListener("pointerdown", (event) => {
    isDragging = true
    canvas.setPointerCapture(event.pointerId)
    jump(event)
  })
  canvas.addEventListener("pointermove", (event) => isDragging && jump(event))
  canvas.addEventListener("pointerup", () => (isDragging = false))
  if (byId("player").dataset.peaks) loadPeaks(waveform, byId("player").dataset.peaks)
  return waveform
}

async function loadPeaks(waveform, address) {
  const response = await fetch(address)
  if (response.ok) waveform.peaks = new Uint8Array(await response.arrayBuffer())
}

function goTo(seconds, { scrolls = true } = {}) {
  player?.seek(seconds)
  waveform.at = seconds
  if (scrolls) words.show(seconds)
  words.highlight(seconds)
}

// #t=12.5 links to a time; #u7 to a segment and, in it, to the first word found by the search.
function followHash() {
  const [, seconds] = location.hash.match(/^#t=([\d.]+)$/) ?? []
  if (seconds) return goTo(Number(seconds))
  const target = byId(location.hash.slice(1)) // not `:target`, which the browser may update later
  if (target?.matches("details")) target.open = true
  const segment = target?.closest(".segment")
  const found = (segment ?? transcript)?.querySelector(".word--found") ?? segment?.querySelector(".word")
  if (found) goTo(words.startOf(found))
}

function onEdited(history) {
  words.read()
  if (player) player.timeline = words.timeline
  waveform?.draw()
  replacer?.read()
  byId("changes").outerHTML = history
}

function onClick(event) {
  const word = event.target.closest(".word")
  const time = event.target.closest(".segment__time")
  if (!word && !time) return
  if (!getSelection().isCollapsed) return // the user is selecting text
  const seconds = word ? words.startOf(word) : Number(time.closest(".segment").dataset.start)
  player ? player.playFrom(seconds) : goTo(seconds, { scrolls: false })
}

if (transcript) {
  const address = byId("session").dataset.corrections
  const editor = address && new Editor({ template: byId("editor"), transcript, address, onEdited })
  new Tools({ bar: byId("tools"), transcript, edit: editor ? (segment) => editor.open(segment) : null })
  new WordNote({ transcript, card: byId("word-card") })
  transcript.addEventListener("click", onClick)
  if (editor) transcript.addEventListener("dblclick", ({ target }) => {
    const segment = target.closest(".segment[data-segment]")
    if (segment && target.closest(".word")) editor.open(segment)
  })
  const text = () => [...transcript.querySelectorAll(".segment")].map(textOf).join("\n")
  byId("copy").addEventListener("click", () => copy(text(), byId("copy")))
  followHash()
  addEventListener("hashchange", followHash)
}
for (const button of document.querySelectorAll("[data-copies]")) {
  button.hidden = false
  button.addEventListener("click", () => copy(byId(button.dataset.copies).value, button))
}
