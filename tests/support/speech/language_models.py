"""Descriptions of the language models of test servers."""

from dataclasses import replace
from typing import Any

from speech.llm.config import ModelInfo
from tests.support.servers.language_model import LanguageModelServer


def info_of(server: LanguageModelServer | str, **changes: Any) -> ModelInfo:
    """A model of this server, or of this URL. `changes`: other fields of it."""
    url = server if isinstance(server, str) else server.url
    info = ModelInfo(
        name="scripted", label="Scripted", url=url, model="scripted", api_key="", is_local=True, speculates=True
    )
    return replace(info, **changes)
