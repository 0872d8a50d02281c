"""The table, written line by line so that an interruption keeps what was measured, and the time that is left."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

NAME_WIDTH = 40


class Report:
    def __init__(self, path: Path | None) -> None:
        """`path`: the file of the table, replaced; None only prints it."""
        self.failed: list[str] = []
        """The checks of correctness that failed."""
        self._section = ""
        self._path = path
        if path:
            path.write_text("")

    def line(self, text: str = "") -> None:
        print(text, flush=True)
        if self._path:
            with self._path.open("a") as file:
                file.write(text + "\n")

    def section(self, name: str, title: str) -> None:
        self._section = name
        self.line(f"\n{name}: {title}")

    def row(self, name: str, figures: str) -> None:
        self.line(f"  {name:{NAME_WIDTH}} {figures}")

    def check(self, name: str, is_correct: bool, figures: str) -> None:
        """A row that must be correct: if it is not, the command fails."""
        if not is_correct:
            self.failed.append(f"{self._section}, {name}")
        self.row(name, f"{figures}   {'ok' if is_correct else 'FAILED'}")

    def not_run(self, name: str, reason: str) -> None:
        self.row(name, f"not run: {reason}")


class Budget:
    """Divides the time among the sections; what one leaves is for those after it."""

    def __init__(self, seconds: float, shares: dict[str, float]) -> None:
        """`shares`: weights of the sections, in their order."""
        self._end = time.monotonic() + seconds
        self._shares = dict(shares)
        self._section_end = self._end

    def start(self, section: str) -> None:
        left = max(0.0, self._end - time.monotonic())
        share = self._shares[section] / sum(self._shares.values())
        del self._shares[section]
        self._section_end = time.monotonic() + left * share

    @property
    def seconds_left(self) -> float:
        """Of the section."""
        return self._section_end - time.monotonic()

    @property
    def has_time(self) -> bool:
        return self.seconds_left > 0


@contextmanager
def duration(seconds: list[float]) -> Iterator[None]:
    """Append the duration of the block to `seconds`."""
    started = time.monotonic()
    yield
    seconds.append(time.monotonic() - started)


def first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def listed(values: Iterable[object]) -> str:
    return ", ".join(map(str, values)) or "none"
