"""The checkpoints that Kyutai released, without their weights: the published configuration, and files with the released
tensor names, dtypes and shapes. The files are sparse: 5 GB take a few kilobytes of disk."""

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from math import prod
from pathlib import Path
from unittest import mock

import torch
from moshi.models import loaders
from safetensors import safe_open

from tests.support.models.checkpoints import write_tokenizer

DATA = Path(__file__).parent / "released"
DTYPES = {"BF16": torch.bfloat16, "F32": torch.float32}

Tensors = dict[str, tuple[str, list[int]]]
"""Name of the dtype and shape of each tensor."""


def tensors_of(name: str) -> Tensors:
    """The tensors of a released language model, or of `mimi`."""
    listed: dict[str, dict[str, list[int]]] = json.loads((DATA / "tensors.json").read_text())[name]
    return {
        tensor: (dtype, shape)
        for dtype, patterns in listed.items()
        for pattern, shape in patterns.items()
        for tensor in _expanded(pattern)
    }


def parameters_of(name: str) -> int:
    return sum(prod(shape) for _, shape in tensors_of(name).values())


def build(name: str, folder: Path) -> Path:
    """Write the checkpoint's files, under their released names, and return the folder. The tokenizer is a small one."""
    folder.mkdir(parents=True)
    config = {}
    if (path := DATA / f"{name}.json").exists():  # Kyutai's first models have no configuration
        config = json.loads(path.read_text())
        (folder / "config.json").write_text(json.dumps(config))
    _write_sparse(folder / config.get("moshi_name", loaders.MOSHI_NAME), tensors_of(name))
    _write_sparse(folder / config.get("mimi_name", loaders.MIMI_NAME), tensors_of("mimi"))
    write_tokenizer(folder / config.get("tokenizer_name", loaders.TEXT_TOKENIZER_NAME))
    return folder


@contextmanager
def without_weights() -> Iterator[None]:
    """Let moshi load tensors that have a shape, but no values: the device of its models must be `meta`."""
    with mock.patch.object(loaders, "load_file", _load_shapes):
        yield


def _expanded(pattern: str) -> Iterator[str]:
    """The names for which a pattern stands: `0-15` for each number in that range."""
    parts = []
    for part in pattern.split("."):
        first, dash, last = part.partition("-")
        parts.append([str(number) for number in range(int(first), int(last) + 1)] if dash else [part])
    return (".".join(name) for name in product(*parts))


def _write_sparse(path: Path, tensors: Tensors) -> None:
    header, end = {}, 0
    for name, (dtype, shape) in sorted(tensors.items()):
        start, end = end, end + prod(shape) * DTYPES[dtype].itemsize
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)


def _load_shapes(path: Path, device: str) -> dict[str, torch.Tensor]:
    with safe_open(path, "pt") as file:
        names = file.keys()
        slices = {name: file.get_slice(name) for name in names}
    return {
        name: torch.empty(tensor.get_shape(), dtype=DTYPES[tensor.get_dtype()], device=device)
        for name, tensor in slices.items()
    }
