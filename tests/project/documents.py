"""The fenced blocks of the documentation."""

import re
from dataclasses import dataclass

from tests.support.environment import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]


@dataclass(frozen=True)
class Block:
    document: str
    text: str

    @property
    def first_line(self) -> str:
        """Its first line without a comment: identifies the block within its document."""
        return self.commands[0].strip()

    @property
    def commands(self) -> list[str]:
        """Its lines, without comments after two spaces."""
        return [re.sub(r" {2,}#.*", "", line) for line in self.text.splitlines()]


BLOCKS = [
    Block(str(path.relative_to(ROOT)), text)
    for path in DOCUMENTS
    for text in re.findall(r"^```\w*\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)
]


def block(document: str, first_line: str) -> Block:
    (found,) = [one for one in BLOCKS if (one.document, one.first_line) == (document, first_line)]
    return found
