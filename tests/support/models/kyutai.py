"""Kyutai's reference implementation: the moshi package with one stream, and the word assembly of their server.

Slow and simple, written from the description of their server and independent of the engine.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from moshi.models import LMGen

from tests.support.models.checkpoints import checkpoint_info

FRAME = 1920


@dataclass
class Reference:
    """Output for a single stream."""

    tokens: list[int]
    pauses: list[list[float]]


class Package:
    def __init__(self, folder: Path) -> None:
        info = checkpoint_info(folder)
        self.tokenizer = info.get_text_tokenizer()
        self._mimi, lm = info.get_mimi(), info.get_moshi(dtype=torch.float32)
        self._gen = LMGen(lm, use_sampling=False, temp=0, temp_text=0, support_out_of_sync=True)
        self._mimi.streaming_forever(1)
        self._gen.streaming_forever(1)

    @torch.no_grad()
    def transcribe(self, pcm: np.ndarray) -> Reference:
        """`pcm`: float32[n], whole frames. As in the server, step s of the language model gets the codes of frame
        s - 1, so there is one step more than frames."""
        self._mimi.reset_streaming()
        self._gen.reset_streaming()
        codes = torch.full((1, 32, 1), 64)
        tokens, pauses = [], []
        for start in range(0, len(pcm) + 1, FRAME):
            out, heads = self._gen.step_with_extra_heads(codes)
            tokens.append(int(out[0, 0, 0]))
            pauses.append([float(head[0, 0, 0]) for head in heads])
            if start < len(pcm):
                codes = self._mimi.encode(torch.from_numpy(pcm[start : start + FRAME])[None, None])
        return Reference(tokens, pauses)


@dataclass
class ServerWord:
    text: str
    start: float
    step: int  # that emitted it, counted from 1
    ended_by: int  # the token
    has_onset: bool
    """A 0 marked its start; without one the server gives it the time of the previous word."""


def server_words(tokens: list[int], delay: int, decode) -> tuple[list[ServerWord], list[tuple[int, float]]]:
    """The server's words, and its EndWords as (step, time)."""
    words, ends = [], []
    word: list[int] = []
    is_open, last_stop, has_onset = False, 0.0, False
    for n, token in enumerate(tokens, start=1):
        if n < delay:
            continue
        if token in (0, 3):
            if word:
                words.append(ServerWord(decode(word), last_stop, n, token, has_onset))
                word, is_open, has_onset = [], True, False
        else:
            word.append(token)
        if token == 0:
            time = (n - delay) / 12.5
            if is_open:
                ends.append((n, time))
                is_open = False
            last_stop, has_onset = time, True
    return words, ends
