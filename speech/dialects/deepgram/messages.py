"""Ids and metadata of a request."""

import uuid
from datetime import UTC, datetime
from typing import Any

VERSION = "1"


def model_id(name: str) -> str:
    """The id of an engine, or of a voice. It never changes, as those of Deepgram's models don't."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"engine:{name}"))


class Request:
    """Ids and metadata of one stream or recording."""

    def __init__(self, tags: tuple[str, ...] = (), extra: tuple[str, ...] = ()) -> None:
        """`extra`: `KEY:VALUE` each."""
        self.id = str(uuid.uuid4())
        self.model = model_id("")
        self.info = {"name": "", "version": VERSION, "arch": ""}
        self.created = datetime.now(UTC)
        self._given: dict[str, Any] = {"tags": list(tags)} if tags else {}
        if extra:
            self._given["extra"] = {key: value for key, _, value in (pair.partition(":") for pair in extra)}

    def set_engine(self, engine: str) -> None:
        self.model = model_id(engine)
        self.info = {"name": engine, "version": VERSION, "arch": engine}

    def metadata(self, duration: float, sha256: str) -> dict[str, Any]:
        return {
            "transaction_key": "deprecated",
            "request_id": self.id,
            "sha256": sha256,
            "created": self.created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "duration": round(duration, 3),
            "channels": 1,
            "models": [self.model],
            "model_info": {self.model: self.info},
            **self._given,
        }
