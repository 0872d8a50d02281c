"""The language models that conversations can use: the configured ones, those found on this machine, and the demo.

The library that talks to their servers takes half a second to import. So it is imported when it is first needed, not
with the site and each of its commands; and in a thread, because streams run on the event loop.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING

from django.conf import settings

from speech.llm import demo
from speech.llm.config import ModelInfo
from speech.llm.errors import ModelNotFound, NoModel

if TYPE_CHECKING:
    from speech.llm.client import LanguageModel

UNNAMED = "Language model"
"""Label of a model without a name, while its server isn't running."""


@dataclass(frozen=True)
class ModelStatus:
    info: ModelInfo
    is_default: bool
    error: str
    """What is wrong; empty if nothing is."""
    latency: float | None
    """Seconds in which its server answers; `None` if it wasn't asked."""
    first_token: float | None
    """Seconds to the first token of the latest reply in this process."""


async def available_models() -> list[ModelInfo]:
    """The configured models, those that servers on this machine have, and last the demo. The first is the default.

    A configured model is listed also while its server isn't running: its error says more than another model would.
    """
    configured, found = await asyncio.gather(_configured(), _discovered())
    return [*configured, *found, *_demo()]


async def language_model(name: str) -> "LanguageModel":
    """The model of this name; empty: the default. Raises `ModelNotFound` and `NoModel`."""
    await _import_library()
    from speech.llm.client import LanguageModel

    models = await available_models()
    if not models:
        raise NoModel
    if not name:
        return LanguageModel(models[0])
    for info in models:
        if info.name == name:
            return LanguageModel(info)
    raise ModelNotFound


async def model_statuses() -> list[ModelStatus]:
    """The available models with their health. No text is generated for it, so it costs nothing."""
    models = await available_models()
    return [await _status(info, is_default=not number) for number, info in enumerate(models)]


async def _configured() -> list[ModelInfo]:
    return list(await asyncio.gather(*(_resolved(info) for info in settings.LLM_MODELS)))


async def _resolved(info: ModelInfo) -> ModelInfo:
    """The model with the name of its server's first one if it has none."""
    if info.model:
        return info
    await _import_library()
    from speech.llm.discovery import listing, short_name

    names = (await listing(info.url, info.api_key)).models
    model = names[0] if names else ""
    return replace(info, model=model, label=info.label or short_name(model) or UNNAMED)


async def _discovered() -> Sequence[ModelInfo]:
    if not settings.LLM_DISCOVER:
        return []
    await _import_library()
    from speech.llm.discovery import discovered

    return await discovered(without=[info.url for info in settings.LLM_MODELS], own_port=settings.PORT)


async def _import_library() -> None:
    await asyncio.to_thread(import_module, "speech.llm.client")


def _demo() -> list[ModelInfo]:
    info = demo.info()
    return [info] if info else []


async def _status(info: ModelInfo, is_default: bool) -> ModelStatus:
    await _import_library()
    from speech.llm.client import LATEST_CALLS
    from speech.llm.discovery import listing

    latest = LATEST_CALLS.get(info.name)
    first_token = latest.first_token if latest else None
    error = latest.error if latest else ""
    if info.is_demo:
        return ModelStatus(info, is_default, error, None, first_token)
    found = await listing(info.url, info.api_key)
    if found.has_list and not found.error and not _has(found.names, info.model):
        error = f"Its server doesn't have the model “{info.model}”." if info.model else "Its server has no model."
    return ModelStatus(info, is_default, found.error or error, found.latency, first_token)


def _has(models: Sequence[str], model: str) -> bool:
    """Whether the server lists the model; Ollama adds a tag to the name."""
    return model in models or f"{model}:latest" in models
