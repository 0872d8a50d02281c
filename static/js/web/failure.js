// Everything that can end a stream or keep it from starting: what happened, why, and the ways out of it.

const FAILURES = {
  insecure: {
    what: "The microphone is out of reach.",
    why: "Browsers give it only to pages that come over https or from localhost.",
    action: "Open this site by its https address, or at localhost on the machine that it runs on.",
    ways: [],
  },
  unsupported: {
    what: "This browser cannot record.",
    why: "It has no audio worklets.",
    action: "Use a current Firefox, Chrome, Edge or Safari.",
    ways: [],
  },
  permission: {
    what: "The microphone is not allowed.",
    why: "The browser, or the system behind it, refused it to this page.",
    action: "Allow the microphone at the icon beside the address, then try again.",
    ways: ["retry"],
  },
  noMicrophone: {
    what: "No microphone was found.",
    why: "The browser sees no audio input on this device.",
    action: "Plug one in or switch it on, then try again.",
    ways: ["retry"],
  },
  busyMicrophone: {
    what: "The microphone gives no sound.",
    why: "Another program may be holding it.",
    action: "Close that program or choose another microphone, then try again.",
    ways: ["retry"],
  },
  unshareable: {
    what: "This browser shares no sound.",
    why: "It cannot give a page what other tabs or programs play.",
    action: "Use a current Chrome or Edge on a computer, or choose a microphone.",
    ways: [],
  },
  unshared: {
    what: "Nothing was shared.",
    why: "The choice of a tab or a screen was closed, or the browser or the system forbids it.",
    action: "Try again, and choose a tab whose sound is to be heard.",
    ways: ["retry"],
  },
  soundless: {
    what: "What was shared has no sound.",
    why: "Sound comes along only where it is ticked; windows have none, and some systems give only that of tabs.",
    action: "Try again: choose a tab, and tick that its sound is shared as well.",
    ways: ["retry"],
  },
  incomplete: {
    what: "A part of this page is missing.",
    why: "It could not be loaded; the network or the server may be away.",
    action: "Try again in a moment.",
    ways: ["retry"],
  },
  full: {
    what: "All places are taken.",
    why: "The service hears as many people at once as its engines can follow.",
    action: "Wait in the queue, or come back later.",
    ways: ["wait", "retry"],
  },
  ticket: {
    what: "The service did not accept this page's ticket.",
    why: "You may have logged out, or the ticket came too late.",
    action: "Log in again.",
    ways: ["login", "retry"],
  },
  signedOut: {
    what: "You are logged out.",
    why: "Your log-in ended, here or in another tab.",
    action: "Log in, then start again.",
    ways: ["login"],
  },
  notApproved: {
    what: "Your account may not transcribe.",
    why: "It is not approved, or no longer.",
    action: "See where your account stands.",
    ways: ["standing"],
  },
  rateLimited: {
    what: "That was too much at once.",
    why: "Too many sessions are running or were started in a short time.",
    action: "Close other sessions or wait a minute, then try again.",
    ways: ["retry"],
  },
  engineDown: {
    what: "No speech engine is running.",
    why: "The service is up, but nothing behind it can hear.",
    action: "Try again in a moment; if it stays so, tell whoever runs this site.",
    ways: ["retry", "waitForEngine"],
  },
  protocol: {
    what: "The service did not understand this page.",
    why: "The two may be of different versions.",
    action: "Reload the page.",
    ways: ["reload"],
  },
  connection: {
    what: "The connection was lost.",
    why: "The network or the server is away.",
    action: "Try again in a moment.",
    ways: ["retry"],
  },
  gone: {
    what: "This session is no longer there.",
    why: "It was deleted.",
    action: "Start a new one.",
    ways: [],
  },
  movedOn: {
    what: "This session goes on in another tab.",
    why: "It was taken up there.",
    action: "Look for that tab, or start a new session here.",
    ways: [],
  },
}

const KIND_OF_CLOSE_CODE = {
  1009: "protocol",
  4000: "full",
  4001: "ticket",
  4003: "notApproved",
  4004: "rateLimited",
  4008: "protocol",
  4011: "engineDown",
  4012: "movedOn",
  4013: "gone",
}

export class Failure extends Error {
  // told: the what, why and action that somebody closer to it gave; they take the place of the general ones.
  constructor(kind, told = {}) {
    const { what, why, action, ways } = FAILURES[kind]
    super(told.what || what)
    this.kind = kind
    this.what = told.what || what
    this.why = told.why || why
    this.action = told.action || action
    this.ways = ways
  }

  // null where the code means a lost connection rather than an end.
  static ofCloseCode(code, told) {
    const kind = KIND_OF_CLOSE_CODE[code]
    return kind ? new Failure(kind, told) : null
  }
}
