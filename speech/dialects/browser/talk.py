"""Socket of the Talk page: docs/conversations.md."""

from typing import Annotated

import msgspec

from speech import events
from speech.dialects.browser.socket import BrowserSocket, Command, Ping
from speech.dialects.browser.stream_commands import Samples, StartStream, Stop, checked_audio
from speech.dialogue.conversation import Conversation
from speech.dialogue.options import ConversationOptions, UnsavedReply
from speech.errors import ProtocolError
from speech.models.conversation import INSTRUCTIONS_LENGTH
from speech.synthesis.options import SynthesisOptions
from speech.text.alignment import TimedWord

MAX_UNSAVED_REPLIES = 20
MAX_WORDS = 2_000


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reply that the page has played and the server has not confirmed as saved."""

    is_complete: bool
    words: Annotated[
        list[tuple[Annotated[str, msgspec.Meta(max_length=200)], float, float]], msgspec.Meta(max_length=MAX_WORDS)
    ]
    """Text, start and end in seconds of the session."""


class Start(StartStream, frozen=True):
    voice: str = ""
    voice_engine: str = ""
    controls: dict[str, float] = {}
    model: str = ""
    instructions: Annotated[str, msgspec.Meta(max_length=INSTRUCTIONS_LENGTH)] = ""
    push_to_talk: bool = False
    unsaved: Annotated[list[Reply], msgspec.Meta(max_length=MAX_UNSAVED_REPLIES)] | None = None


class Played(Command, frozen=True):
    reply: int
    sample: Samples
    at: Samples


class Interrupt(Command, frozen=True):
    pass


class Text(Command, frozen=True):
    text: str


class Release(Command, frozen=True):
    pass


class TalkSocket(BrowserSocket[Start, Conversation]):
    commands = msgspec.json.Decoder(Start | Played | Interrupt | Text | Release | Stop | Ping)
    start = Start
    max_text = 200_000

    def create_job(self, start: Start) -> Conversation:
        stream = start.stream_options
        voice = SynthesisOptions(start.voice_engine, start.voice, controls=start.controls)
        unsaved = None
        if start.unsaved is not None:
            unsaved = [UnsavedReply(each.is_complete, _timed_words(each)) for each in start.unsaved if each.words]
        options = ConversationOptions(stream, voice, start.model, start.instructions, start.push_to_talk, unsaved)
        return Conversation(self.user, self._send, options)

    def on_command(self, job: Conversation, command: Command) -> None:
        match command:
            case Played(reply=reply, sample=sample, at=at):
                job.played(reply, sample, at)
            case Interrupt():
                job.interrupt()
            case Text(text=text):
                job.add_text(text)
            case Release():
                job.release()
            case Stop(dropped=dropped):
                job.stop(dropped)

    def on_binary(self, job: Conversation | None, data: bytes) -> None:
        pcm = checked_audio(data)
        if job is None or not job.accepts_audio:
            raise ProtocolError("Unexpected audio.", "Send audio only after “ready”.")
        job.feed(pcm)

    def detach_job(self, job: Conversation) -> None:
        job.detach()

    async def _send(self, event: events.Event) -> None:
        if isinstance(event, events.Audio):
            await self.send(bytes_data=event.pcm)
        else:
            await self.send_event(event)


def _timed_words(reply: Reply) -> list[TimedWord]:
    return [TimedWord(text, start, end, None) for text, start, end in reply.words]
