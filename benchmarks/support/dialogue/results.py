"""What the conversations of one measurement have shown, as a table, and whether it is good enough."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from benchmarks.support.dialogue.scripted_model import Context

MEDIAN_FIRST_AUDIO = 0.7
P95_FIRST_AUDIO = 1.2
MEDIAN_FIRST_AUDIO_OF_OTHERS = 1.2
"""With another model than the scripted one, such as the demo."""
P95_HELD = 0.25
TOLERANCE = 0.1
"""Seconds by which the first audio of several conversations may be later than that of one."""
PARTS = ("endpoint", "model", "synthesis")


class Wait(NamedTuple):
    """For the reply to one turn, seconds."""

    text: str
    """Of the turn, as it was transcribed; it decides how much silence ends the turn."""
    begins_with_clause: bool
    """The reply does, rather than with a longer sentence."""
    total: float
    """End of speech to first audio."""
    parts: dict[str, float]
    """As the site reports them. A reply is generated before the turn is over, so they overlap."""


class Interruption(NamedTuple):
    """Seconds from the beginning of the user's speech; None: it never came."""

    text: str
    silent: float | None
    """The reply was held, or cut at once, as by “Stop”."""
    cut: float | None


class Turn(NamedTuple):
    """A sentence with pauses: what happened before its last part began."""

    turns: int
    """Taken by the assistant."""
    replies: int
    """Of which something was played."""


class Sound(NamedTuple):
    """A sound during a reply that must not end it."""

    holds: list[float]
    """Seconds of each pause of the reply."""
    cut: float | None
    """Seconds from the beginning of the sound until the reply was cut; None: it was not."""
    echo: float | None = None
    """Seconds until the site recognized that the microphone picks up the reply."""
    stop: bool | None = None
    """Whether the user's speech on top of it ended the reply."""


@dataclass
class Results:
    is_scripted: bool = True
    waits: list[Wait] = field(default_factory=list)
    early: int = 0
    """Turns taken before the user had finished a sentence without pauses."""
    unanswered: int = 0
    interruptions: list[Interruption] = field(default_factory=list)
    sentences: dict[str, list[Turn]] = field(default_factory=dict)
    sounds: dict[str, list[Sound]] = field(default_factory=dict)
    contexts: list[Context] = field(default_factory=list)
    requests: int = 0
    leaks: int = 0
    """Requests, replies and turns with another conversation's secret."""
    notices: list[str] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    load: float = 0.0
    """Cores that the site used."""
    load_of_all: float = 0.0

    @property
    def first_audio(self) -> float:
        """Median, seconds."""
        return _quantile([wait.total for wait in self.waits], 0.5)

    def print(self) -> None:
        self._print_waits()
        if self.is_scripted:
            self._print_interruptions()
            self._print_sentences()
            self._print_sounds()
            self._print_context()
        for notice in sorted(set(self.notices)):
            print(f"notice ({self.notices.count(notice)} times): {notice}")
        late = (1000 * _quantile(self.lateness, 0.95), 1000 * max(self.lateness))
        print(f"frames sent late by this program: p95 {late[0]:.0f} ms, maximum {late[1]:.0f} ms")
        print(f"the site used {self.load:.2f} cores, all programs {self.load_of_all:.2f}", flush=True)

    def _print_waits(self) -> None:
        print(f"{'seconds':44}      n  median     p95")
        _print_row("end of speech to first audio", (wait.total for wait in self.waits))
        if self.is_scripted:
            _print_row("  reply begins with a clause", (w.total for w in self.waits if w.begins_with_clause))
            _print_row("  reply begins with a sentence", (w.total for w in self.waits if not w.begins_with_clause))
        for part, meaning in zip(PARTS, ("turn over", "first text", "first audio"), strict=True):
            _print_row(f"  {part}: to {meaning}", (wait.parts[part] for wait in self.waits if wait.parts))
        _print_row("  rest", (wait.total - wait.parts["total"] for wait in self.waits if wait.parts))
        for wait in sorted(self.waits, key=lambda wait: -wait.total)[:3]:
            print(f"  slow: {wait.total:.2f} s after “{wait.text}”")
        print(f"  taken too early: {self.early}, unanswered: {self.unanswered}")

    def _print_interruptions(self) -> None:
        _print_row("interruption: speech to “held” or cut", _known(each.silent for each in self.interruptions))
        _print_row("interruption: speech to “reply_cut”", _known(each.cut for each in self.interruptions))
        for each in sorted(self.interruptions, key=lambda each: -(each.silent or 0))[:2]:
            print(f"  slow: {each.silent or 0:.2f} s after the beginning of “{each.text}”")
        print(f"  not cut: {sum(each.cut is None for each in self.interruptions)}")

    def _print_sentences(self) -> None:
        print(f"{'sentences with pauses':44}      n   turn taken early   of these audible")
        for name, turns in sorted(self.sentences.items()):
            taken, audible = sum(turn.turns > 0 for turn in turns), sum(turn.replies > 0 for turn in turns)
            print(f"  {name:42} {len(turns):6} {taken:18} {audible:18}")

    def _print_sounds(self) -> None:
        print(f"{'sounds during a reply':44}      n    held (s)     cut (s)   echo noticed (s)   stopped by speech")
        for name, sounds in sorted(self.sounds.items()):
            held = _count([sum(sound.holds) for sound in sounds if sound.holds])
            cut, echo = _count(_known(sound.cut for sound in sounds)), _count(_known(sound.echo for sound in sounds))
            stops = [sound.stop for sound in sounds if sound.stop is not None]
            stopped = f"{sum(stops)} of {len(stops)}" if stops else ""
            print(f"  {name:42} {len(sounds):6} {held:>11} {cut:>11} {echo:>18} {stopped:>19}")

    def _print_context(self) -> None:
        print(
            f"context: {len(self.contexts)} replies, words that were not played {self._unplayed}, "
            f"missing words {sum(context.missing for context in self.contexts)}"
        )
        for context in [context for context in self.contexts if context.unplayed][:5]:
            print(f"  the model got “{context.text}”, played was “{context.played}”")
        print(f"secrets: {self.requests} requests, leaks {self.leaks}")

    @property
    def _unplayed(self) -> int:
        return sum(context.unplayed for context in self.contexts)

    def missed_targets(self, alone: float | None) -> list[str]:
        """`alone`: `first_audio` of one conversation."""
        totals = [wait.total for wait in self.waits]
        limit = MEDIAN_FIRST_AUDIO if self.is_scripted else MEDIAN_FIRST_AUDIO_OF_OTHERS
        targets = [
            ("every turn answered", self.unanswered, 0),
            ("first audio, median", _quantile(totals, 0.5), limit),
        ]
        if self.is_scripted:
            held = [each.silent if each.silent is not None else float("inf") for each in self.interruptions]
            targets += [
                ("first audio, p95", _quantile(totals, 0.95), P95_FIRST_AUDIO),
                ("held, p95", _quantile(held, 0.95), P95_HELD),
                ("leaks", self.leaks, 0),
                ("words in the context that were not played", self._unplayed, 0),
            ]
        if alone is not None:
            targets.append(("first audio, median, against one conversation", self.first_audio, alone + TOLERANCE))
        return [f"{name}: {value:.2f}, at most {most:.2f}" for name, value, most in targets if not value <= most]


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _count(values: Sequence[float]) -> str:
    """How many, and their median."""
    return f"{len(values)} ({_quantile(values, 0.5):.1f})" if values else "0"


def _quantile(values: Sequence[float], share: float) -> float:
    """NaN without values."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    if share == 0.5:
        return statistics.median(values)
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered)))]


def _print_row(name: str, values: Iterable[float]) -> None:
    known = list(values)
    print(f"{name:44} {len(known):6} {_quantile(known, 0.5):7.3f} {_quantile(known, 0.95):7.3f}")
