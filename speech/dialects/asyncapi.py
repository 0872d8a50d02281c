"""AsyncAPI document of the site's own WebSockets, generated from the types they send: `/api/asyncapi.json`.

The protocols of other services and servers are documented by their authors.
"""

from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from speech import events
from speech.dialects import pcm
from speech.dialects.browser import live, socket, stream_commands, talk, voices


@dataclass(frozen=True)
class Channel:
    name: str
    address: str
    title: str
    receives: tuple[type, ...]
    """Text messages of the client. Binary messages are audio, in both directions."""
    sends: tuple[type, ...]
    is_numbered: bool = False
    """Whether every server message also has a `seq`, counting from 1."""


COMMON_EVENTS = (socket.Pong, socket.Error)
CHANNELS = [
    Channel(
        name="live",
        address="/ws/live/",
        title="Live page: docs/browser-protocol.md",
        receives=(live.Start, live.Pause, live.Resume, stream_commands.Stop, socket.Ping),
        sends=(
            *(events.Queued, events.Starting, events.Ready, events.Ack, events.Step),
            *(events.Partial, events.Word, events.Endpoint),
            *(events.Unstored, events.Interrupted, events.Paused, events.Done, *COMMON_EVENTS),
        ),
        is_numbered=True,
    ),
    Channel(
        name="talk",
        address="/ws/talk/",
        title="Talk page: docs/conversations.md",
        receives=(
            *(talk.Start, talk.Played, talk.Interrupt, talk.Text, talk.Release),
            *(stream_commands.Stop, socket.Ping),
        ),
        sends=(
            *(events.Queued, events.Starting, events.Conversation, events.Ready, events.Ack, events.Step),
            *(events.Partial, events.Word, events.Endpoint, events.Unstored, events.Interrupted, events.Done),
            *(events.TurnState, events.Turn, events.ReplyQueued, events.ReplyStarted, events.ReplyWord),
            *(events.ReplyEnded, events.ReplyCut, events.ReplySaved, events.TurnLatency, events.Notice),
            *(events.EchoDetected, *COMMON_EVENTS),
        ),
        is_numbered=True,
    ),
    Channel(
        name="voices",
        address="/ws/voices/",
        title="Voices page: docs/voices.md",
        receives=(voices.Start, voices.Text, voices.Finish, voices.Stop, voices.Ack, socket.Ping),
        sends=(
            *(events.Queued, events.Starting, events.SynthesisStarted, events.Interrupted, events.SynthesisDone),
            *(events.SpokenWord, events.Skipped),
            *COMMON_EVENTS,
        ),
        is_numbered=True,
    ),
    Channel(
        name="pcm",
        address="/ws/pcm",
        title="Programs: docs/clients.md",
        receives=(pcm.Flush, pcm.Stop),
        sends=get_args(pcm.ServerMessage),
    ),
]
NUMBERED = {"type": "object", "properties": {"seq": {"type": "integer", "minimum": 1}}, "required": ["seq"]}
AUDIO = {"name": "audio", "contentType": "application/octet-stream", "payload": {"type": "string", "format": "binary"}}


@login_not_required
@require_safe
def asyncapi(request: HttpRequest) -> JsonResponse:
    return JsonResponse(document(), json_dumps_params={"indent": 1})


def document() -> dict[str, Any]:
    types = list(dict.fromkeys(kind for channel in CHANNELS for kind in (*channel.receives, *channel.sends)))
    refs, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    ref_of = dict(zip(types, refs, strict=True))
    site = urlsplit(settings.SITE_URL)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": settings.SITE_NAME, "version": "1", "description": (__doc__ or "").strip()},
        "servers": {"site": {"host": site.netloc, "protocol": site.scheme.replace("http", "ws")}},
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel, ref_of) for channel in CHANNELS},
        "operations": {name: value for channel in CHANNELS for name, value in _operations(channel).items()},
        "components": {"schemas": schemas},
    }


def _channel(channel: Channel, ref_of: dict[type, Any]) -> dict[str, Any]:
    """Messages are named `DIRECTION.TYPE`, because some types are sent in both directions."""
    messages: dict[str, Any] = {"audio": AUDIO}
    for kind in channel.receives:
        messages[f"receive.{_type_name(kind)}"] = {"name": _type_name(kind), "payload": ref_of[kind]}
    for kind in channel.sends:
        payload = {"allOf": [ref_of[kind], NUMBERED]} if channel.is_numbered else ref_of[kind]
        messages[f"send.{_type_name(kind)}"] = {"name": _type_name(kind), "payload": payload}
    return {"address": channel.address, "title": channel.title, "messages": messages}


def _operations(channel: Channel) -> dict[str, Any]:
    pointer = f"#/channels/{channel.name}"
    return {
        f"{channel.name}.{action}": {
            "action": action,
            "channel": {"$ref": pointer},
            "messages": [{"$ref": f"{pointer}/messages/{action}.{_type_name(kind)}"} for kind in types],
        }
        for action, types in (("receive", channel.receives), ("send", channel.sends))
    }


def _type_name(message: type) -> str:
    """Value of the message's `type` field."""
    return str(msgspec.inspect.type_info(message).tag)  # type: ignore[attr-defined]
