// The page of one session, its owner's or one that was shared: the words, the sound, and the wires between them.

import { Player } from "../playback/player.js"
import { Editor } from "./session/editor.js"
import { PlayerView } from "./session/player-view.js"
import { Replacer } from "./session/replacer.js"
import { Tools, copy, saidIn } from "./session/tools.js"
import { Waveform } from "./session/waveform.js"
import { WordNote } from "./session/word-note.js"
import { WordsView } from "./session/words-view.js"

const byId = (id) => document.getElementById(id)
const transcript = byId("transcript")
const words = new WordsView(transcript)
const player = byId("sound") ? playerOf(byId("sound")) : null
const waveform = byId("wave") ? waveformOf(byId("wave")) : null
const replacer = byId("replacer") ? new Replacer({ form: byId("replacer"), button: byId("find"), transcript }) : null

function playerOf(sound) {
  const made = new Player({ sound, seconds: Number(byId("player").dataset.seconds), timeline: words.timeline })
  const parts = { play: byId("play"), at: byId("at"), skip: byId("skip"), rate: byId("rate"), wave: byId("wave") }
  const view = new PlayerView({ player: made, parts })
  made.addEventListener("at", ({ detail: seconds }) => {
    view.showTime(seconds)
    waveform.at = seconds
    words.light(seconds, { follows: made.isPlaying })
  })
  return made
}

function waveformOf(canvas) {
  const made = new Waveform({ canvas, seconds: Number(byId("player").dataset.seconds), words })
  let isHeld = false
  const jump = (event) => goTo(made.secondsAt(event.clientX), { scrolls: !player })
  canvas.addEventListener("pointerdown", (event) => {
    isHeld = true
    canvas.setPointerCapture(event.pointerId)
    jump(event)
  })
  canvas.addEventListener("pointermove", (event) => isHeld && jump(event))
  canvas.addEventListener("pointerup", () => (isHeld = false))
  if (byId("player").dataset.peaks) loadPeaks(made, byId("player").dataset.peaks)
  return made
}

async function loadPeaks(waveform, address) {
  const response = await fetch(address)
  if (response.ok) waveform.peaks = new Uint8Array(await response.arrayBuffer())
}

function goTo(seconds, { scrolls = true } = {}) {
  player?.seek(seconds)
  waveform.at = seconds
  if (scrolls) words.show(seconds)
  words.light(seconds)
}

// #t=12.5 is a moment; #u7 an utterance, in which what was searched for comes first.
function goToWhereTheLinkLeads() {
  const [, moment] = location.hash.match(/^#t=([\d.]+)$/) ?? []
  if (moment) return goTo(Number(moment))
  const aim = byId(location.hash.slice(1)) // not `:target`, which the browser may learn later than this is asked
  if (aim?.matches("details")) aim.open = true
  const utterance = aim?.closest(".utterance")
  const found = (utterance ?? transcript)?.querySelector(".word--found") ?? utterance?.querySelector(".word")
  if (found) goTo(words.startOf(found))
}

function corrected(history) {
  words.read()
  if (player) player.timeline = words.timeline
  waveform?.draw()
  replacer?.read()
  byId("changes").outerHTML = history
}

function clicked(event) {
  const word = event.target.closest(".word")
  const time = event.target.closest(".utterance__time")
  if (!word && !time) return
  if (!getSelection().isCollapsed) return // somebody marks words to copy them
  const seconds = word ? words.startOf(word) : Number(time.closest(".utterance").dataset.start)
  player ? player.playFrom(seconds) : goTo(seconds, { scrolls: false })
}

if (transcript) {
  const address = byId("session").dataset.corrections
  const editor = address && new Editor({ template: byId("editor"), transcript, address, corrected })
  new Tools({ bar: byId("tools"), transcript, edit: editor ? (utterance) => editor.open(utterance) : null })
  new WordNote({ transcript, card: byId("word-card") })
  transcript.addEventListener("click", clicked)
  if (editor) transcript.addEventListener("dblclick", ({ target }) => {
    const utterance = target.closest(".utterance[data-segment]")
    if (utterance && target.closest(".word")) editor.open(utterance)
  })
  byId("copy").addEventListener("click", () => copy([...transcript.querySelectorAll(".utterance")].map(saidIn).join("\n"), byId("copy")))
  goToWhereTheLinkLeads()
  addEventListener("hashchange", goToWhereTheLinkLeads)
}
for (const button of document.querySelectorAll("[data-copies]")) {
  button.hidden = false
  button.addEventListener("click", () => copy(byId(button.dataset.copies).value, button))
}
