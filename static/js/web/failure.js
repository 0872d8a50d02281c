// Everything that can end a stream or prevent it from starting: what happened, why, what to do, and actions to offer.

const FAILURES = {
  insecure: {
    what: "Microphone unavailable.",
    why: "Browsers allow microphone access only over HTTPS or on localhost.",
    action: "Open this site's HTTPS address, or use localhost on the server itself.",
    actions: [],
  },
  unsupported: {
    what: "This browser can't record audio.",
    why: "It doesn't support AudioWorklet.",
    action: "Use a current version of Firefox, Chrome, Edge or Safari.",
    actions: [],
  },
  noCapture: {
    what: "This browser can't record audio.",
    why: "It gives pages no microphone. Browsers within other apps often don't.",
    action: "Open this page in Firefox, Chrome, Edge or Safari itself.",
    actions: [],
  },
  audioStuck: {
    what: "The browser's audio doesn't start.",
    why: "The system's audio isn't responding, or the browser blocks audio on this page.",
    action: "Try again. If that doesn't help, reload the page, and then restart the browser.",
    actions: ["retry", "reload"],
  },
  audioFailed: {
    what: "The browser can't process this audio.",
    why: "Its audio system reported an error.",
    action: "Try again, choose another microphone, or restart the browser.",
    actions: ["retry", "reload"],
  },
  permission: {
    what: "Microphone blocked.",
    why: "Your browser or operating system denied access.",
    action: "Allow the microphone in the address bar, then try again.",
    actions: ["retry"],
  },
  noMicrophone: {
    what: "No microphone found.",
    why: "Your browser can't find an audio input on this device.",
    action: "Connect or turn on a microphone, then try again.",
    actions: ["retry"],
  },
  busyMicrophone: {
    what: "Can't use the microphone.",
    why: "Another app may be using it.",
    action: "Close that app or choose another microphone, then try again.",
    actions: ["retry"],
  },
  microphoneStuck: {
    what: "The microphone isn't responding.",
    why: "Access is allowed, but the browser can't open it.",
    action: "Choose another microphone, or unplug it and plug it in again, then try again.",
    actions: ["retry", "reload"],
  },
  sharingUnsupported: {
    what: "This browser can't share audio.",
    why: "It doesn't let pages capture audio from tabs or apps.",
    action: "Use a current Chrome or Edge on a computer, or choose a microphone.",
    actions: [],
  },
  sharingDenied: {
    what: "Nothing was shared.",
    why: "You closed the dialog, or your browser or system blocked sharing.",
    action: "Try again and choose a tab with audio.",
    actions: ["retry"],
  },
  noSharedAudio: {
    what: "The shared source has no audio.",
    why: "Audio is included only if you turn it on. Windows can't share audio, and some systems support only tabs.",
    action: "Try again: choose a tab and turn on audio sharing.",
    actions: ["retry"],
  },
  incomplete: {
    what: "Part of this page didn't load.",
    why: "The network or the server may be down.",
    action: "Try again in a moment.",
    actions: ["retry"],
  },
  full: {
    what: "The server is at capacity.",
    why: "All speech engines are busy.",
    action: "Join the queue or try again later.",
    actions: ["wait", "retry"],
  },
  ticket: {
    what: "The connection was refused.",
    why: "You may have logged out, or the page took too long to connect.",
    action: "Log in again.",
    actions: ["login", "retry"],
  },
  loggedOut: {
    what: "You've been logged out.",
    why: "Your login expired or ended in another tab.",
    action: "Log in and start again.",
    actions: ["login"],
  },
  notApproved: {
    what: "Your account can't transcribe.",
    why: "It isn't approved.",
    action: "Check your account status.",
    actions: ["approvalStatus"],
  },
  rateLimited: {
    what: "Too many sessions.",
    why: "Too many are running or were started in a short time.",
    action: "Close other sessions or wait a minute, then try again.",
    actions: ["retry"],
  },
  engineDown: {
    what: "No speech engine is running.",
    why: "The server is up, but no engine is available to transcribe.",
    action: "Try again in a moment. If the problem persists, contact your administrator.",
    actions: ["retry", "waitForEngine"],
  },
  protocol: {
    what: "The server couldn't process this page's request.",
    why: "The page and the server may be different versions.",
    action: "Reload the page.",
    actions: ["reload"],
  },
  connection: {
    what: "Connection lost.",
    why: "The network or the server is down.",
    action: "Try again in a moment.",
    actions: ["retry"],
  },
  gone: {
    what: "This session no longer exists.",
    why: "It was deleted.",
    action: "Start a new one.",
    actions: [],
  },
  movedOn: {
    what: "This session moved to another tab.",
    why: "It was resumed there.",
    action: "Switch to that tab, or start a new session here.",
    actions: [],
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
  // specific: a more specific what, why and action, for example the server's; they replace the general texts.
  constructor(kind, specific = {}) {
    const { what, why, action, actions } = FAILURES[kind]
    super(specific.what || what)
    this.kind = kind
    this.what = specific.what || what
    this.why = specific.why || why
    this.action = specific.action || action
    this.actions = actions
  }

  // null where the code means a lost connection, which can be reestablished.
  static ofCloseCode(code, specific) {
    const kind = KIND_OF_CLOSE_CODE[code]
    return kind ? new Failure(kind, specific) : null
  }
}
