"""The figures of an attack, as a table, and the promises that they break."""

import math
from collections.abc import Sequence


class Table:
    def __init__(self, title: str, *columns: str) -> None:
        self.title = title
        self.broken: list[str] = []
        self.notes: list[str] = []
        self._rows: list[tuple[str, ...]] = [columns]

    def add(self, *values: object) -> None:
        self._rows.append(tuple(map(_as_text, values)))

    def promise(self, is_kept: bool, text: str) -> None:
        """`text`: what the site promises, and what was found."""
        if not is_kept:
            self.broken.append(text)

    def print(self) -> None:
        print(f"\n== {self.title}")
        widths = [max(map(len, column)) for column in zip(*self._rows, strict=True)]
        for first, *others in self._rows:
            cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
            print("  ".join([first.ljust(widths[0]), *cells]).rstrip())
        for note in self.notes:
            print(note)
        for text in self.broken:
            print(f"BROKEN  {text}")
        print(end="", flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """NaN without values."""
    return sorted(values)[math.ceil(share * len(values)) - 1] if values else float("nan")


def _as_text(value: object) -> str:
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
