"""Socket of the live page: docs/browser-protocol.md."""

from dataclasses import replace

import msgspec

from inference.messages import Endpointing
from speech.dialects.browser.socket import BrowserSocket, Command, Ping
from speech.dialects.browser.stream_commands import Samples, StartStream, Stop, checked_audio
from speech.errors import ProtocolError
from speech.live.stream import Stream
from speech.live.stream_state import Intent


class Start(StartStream, frozen=True):
    endpointing: Endpointing | None = None


class Pause(Command, frozen=True):
    dropped: Samples = 0


class Resume(Command, frozen=True):
    pass


class LiveSocket(BrowserSocket[Start, Stream]):
    commands = msgspec.json.Decoder(Start | Pause | Resume | Stop | Ping)
    start = Start
    max_text = 2_000

    def create_job(self, start: Start) -> Stream:
        options = replace(start.stream_options, endpointing=start.endpointing)
        return Stream(self.user, self.send_event, options)

    def on_command(self, job: Stream, command: Command) -> None:
        match command:
            case Pause(dropped=dropped):
                job.set_intent(Intent.PAUSE, dropped)
            case Stop(dropped=dropped):
                job.set_intent(Intent.STOP, dropped)
            case Resume():
                job.set_intent(Intent.RUN)

    def on_binary(self, job: Stream | None, data: bytes) -> None:
        pcm = checked_audio(data)
        if job is None or not job.accepts_audio:
            raise ProtocolError("Unexpected audio.", "Send audio only after “ready” and not while paused.")
        job.feed(pcm)

    def detach_job(self, job: Stream) -> None:
        job.detach()
