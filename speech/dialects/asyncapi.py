"""The site's own sockets in one AsyncAPI document, made from the very types that are sent: `/api/asyncapi.json`.

Kyutai's protocol, and others of other people's, are described where they come from.
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
from speech.dialects.browser import live, socket, voices


@dataclass(frozen=True)
class Channel:
    name: str
    address: str
    title: str
    receives: tuple[type, ...]
    """What a client sends as text. Binary messages, whichever way, are audio."""
    sends: tuple[type, ...]
    is_numbered: bool = False
    """Every message that is told has a `seq` besides, counting from 1."""


COMMON_EVENTS = (socket.Pong, socket.Error)
CHANNELS = [
    Channel(
        name="live",
        address="/ws/live/",
        title="The live page's: docs/browser-protocol.md",
        receives=(live.Start, live.Pause, live.Resume, live.Stop, socket.Ping),
        sends=(
            *(events.Queued, events.Starting, events.Ready, events.Ack, events.Step),
            *(events.Partial, events.Word, events.Endpoint),
            *(events.Unstored, events.Interrupted, events.Paused, events.Done, *COMMON_EVENTS),
        ),
        is_numbered=True,
    ),
    Channel(
        name="voices",
        address="/ws/voices/",
        title="The page of voices': docs/voices.md",
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
        title="For programs: docs/programs.md",
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
    types = list(dict.fromkeys(each for channel in CHANNELS for each in (*channel.receives, *channel.sends)))
    refs, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    ref_of = dict(zip(types, refs, strict=True))
    site = urlsplit(settings.SITE_URL)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": settings.SITE_NAME, "version": "1", "description": (__doc__ or "").strip()},
        "servers": {"site": {"host": site.netloc, "protocol": site.scheme.replace("http", "ws")}},
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel, ref_of) for channel in CHANNELS},
        "operations": {name: each for channel in CHANNELS for name, each in _operations(channel).items()},
        "components": {"schemas": schemas},
    }


def _channel(channel: Channel, ref_of: dict[type, Any]) -> dict[str, Any]:
    """Messages are named `DIRECTION.TYPE`, for a type may go both ways."""
    messages: dict[str, Any] = {"audio": AUDIO}
    for each in channel.receives:
        messages[f"take.{_type(each)}"] = {"name": _type(each), "payload": ref_of[each]}
    for each in channel.sends:
        payload = {"allOf": [ref_of[each], NUMBERED]} if channel.is_numbered else ref_of[each]
        messages[f"tell.{_type(each)}"] = {"name": _type(each), "payload": payload}
    return {"address": channel.address, "title": channel.title, "messages": messages}


def _operations(channel: Channel) -> dict[str, Any]:
    here = f"#/channels/{channel.name}"
    return {
        f"{channel.name}.{way}": {
            "action": action,
            "channel": {"$ref": here},
            "messages": [{"$ref": f"{here}/messages/{way}.{_type(each)}"} for each in types],
        }
        for way, action, types in (("take", "receive", channel.receives), ("tell", "send", channel.sends))
    }


def _type(message: type) -> str:
    """What is in its `type`."""
    return str(msgspec.inspect.type_info(message).tag)  # type: ignore[attr-defined]
