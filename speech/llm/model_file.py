"""The models that the settings name: one in LLM_URL, LLM_MODEL and LLM_API_KEY, several in the TOML file LLM_FILE."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speech.llm.config import (
    CONTEXT_TOKENS,
    DEMO,
    MAX_TOKENS,
    TEMPERATURE,
    ModelInfo,
    api_url,
    is_on_this_machine,
)

DEFAULT_NAME = "default"
"""Name of the model in LLM_URL: it stays the same when the model is replaced, so what users chose stays valid."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
FIELDS: dict[str, type | tuple[type, ...]] = {
    "label": str,
    "url": str,
    "model": str,
    "api_key": str,
    "api_key_env": str,
    "speculates": bool,
    "context_tokens": int,
    "max_tokens": int,
    "temperature": (int, float),
    "extra_body": dict,
}
"""Fields of a model in the file, with their types."""


def configured_models(url: str, model: str, api_key: str, file: str, environment: Mapping[str, str]) -> list[ModelInfo]:
    """The configured models; the first is the default. Raises `ValueError` with a text for the administrator."""
    if not url and (model or api_key):
        raise ValueError(
            "LLM_MODEL or LLM_API_KEY is set but LLM_URL isn't: set it to the address of the model's server."
        )
    models = []
    if url:
        try:
            models.append(_model(DEFAULT_NAME, {"url": url, "model": model, "api_key": api_key}, environment))
        except ValueError as error:
            raise ValueError(f"LLM_URL, LLM_MODEL, LLM_API_KEY: {error}") from None
    if file:
        models += _models_in(Path(file), environment)
    names = [info.name for info in models]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{file}: the name “{twice.pop()}” is used already, by the model in LLM_URL.")
    return models


def _models_in(file: Path, environment: Mapping[str, str]) -> list[ModelInfo]:
    try:
        tables = tomllib.loads(file.read_text())
    except OSError as error:
        raise ValueError(f"LLM_FILE is {file}, which can't be read: {error.strerror}.") from None
    except ValueError as error:
        raise ValueError(f"{file} is not valid TOML: {error}.") from None
    models = []
    for name, fields in tables.items():
        try:
            models.append(_model(name, fields, environment))
        except ValueError as error:
            raise ValueError(f"{file}, [{name}]: {error}") from None
    return models


def _model(name: str, fields: Any, environment: Mapping[str, str]) -> ModelInfo:
    if not NAME.fullmatch(name) or name == DEMO:
        raise ValueError("a model's name has letters, digits, dots, hyphens and underscores, and isn't “demo”.")
    if not isinstance(fields, dict):
        raise ValueError("a model is a table with its url and other fields.")
    _check_types(fields)
    if "url" not in fields:
        raise ValueError("url is missing.")
    url = api_url(fields["url"])
    model = fields.get("model", "")
    is_local = is_on_this_machine(url)
    return ModelInfo(
        name=name,
        label=fields.get("label") or model or ("" if name == DEFAULT_NAME else name),
        url=url,
        model=model,
        api_key=_api_key(fields, environment),
        is_local=is_local,
        speculates=fields.get("speculates", is_local),
        context_tokens=fields.get("context_tokens", CONTEXT_TOKENS),
        max_tokens=fields.get("max_tokens", MAX_TOKENS),
        temperature=fields.get("temperature", TEMPERATURE),
        extra_body=fields.get("extra_body", {}),
    )


def _check_types(fields: Mapping[str, Any]) -> None:
    for field, value in fields.items():
        if field not in FIELDS:
            raise ValueError(f"unknown field “{field}”; the fields are {', '.join(FIELDS)}.")
        expected = FIELDS[field]
        if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
            raise ValueError(f"{field} has the wrong type: {type(value).__name__}.")
        if field in ("context_tokens", "max_tokens") and fields[field] < 1:
            raise ValueError(f"{field} must be at least 1.")


def _api_key(fields: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    """The key itself, or the value of the environment variable that `api_key_env` names."""
    key: str = fields.get("api_key", "")
    if variable := fields.get("api_key_env"):
        if key:
            raise ValueError("set api_key or api_key_env, not both.")
        if not (key := environment.get(variable, "")):
            raise ValueError(f"the environment variable {variable}, named by api_key_env, is not set.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("the API key has a space, a line break or a character outside ASCII.")
    return key
