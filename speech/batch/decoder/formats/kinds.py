"""What a file is that is no recording, so that its owner learns what was chosen by mistake."""

import re
from typing import BinaryIO

HEAD = 65_536
"""Bytes to judge by."""
MAGIC = {
    rb"PK(?:\x03\x04|\x05\x06|\x07\x08)": "zip",
    rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|\x1f\x8b|BZh[1-9]|\xfd7zXZ|\x28\xb5\x2f\xfd|.{257}ustar": "archive",
    rb"%PDF-|\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1|\{\\rtf": "document",
    rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP|BM.{12}[\x0c\x28\x6c\x7c]\0\0\0|II\*\0|MM\0\*": "image",
    rb".{4}ftyp(?:heic|heix|mif1|avif)": "image",
    rb"MThd": "midi",
}
BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid", b"pnot", b"meta", b"moof", b"styp", b"sidx"}
"""Boxes at the top of MP4 files; what describes the audio is `moov`, often at the end."""
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Characters that no text has."""
ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def kind_of(file: BinaryIO) -> str | None:
    """zip, archive, document, image, midi, text, zeros or incomplete; None if it is none of these."""
    file.seek(0)
    head = file.read(HEAD)
    for magic, kind in MAGIC.items():
        if re.match(magic, head, re.DOTALL):
            return kind
    if not head.strip(b"\0"):
        return "zeros" if head else None
    if _is_text(head):
        return "text"
    return "incomplete" if _lacks_index(file) else None


def _is_text(head: bytes) -> bool:
    if CONTROL.search(head) and head[:2] not in ENCODINGS:
        return False
    try:
        head.decode(ENCODINGS.get(head[:2], "utf-8"))
    except UnicodeDecodeError as error:
        is_cut = len(head) == HEAD and error.start > HEAD - 4  # within a character
        return is_cut or _is_latin(head)
    return True


def _is_latin(head: bytes) -> bool:
    """Whether nearly all bytes are those of an English text: in other encodings few letters differ."""
    letters = sum(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head)
    return letters > 0.8 * len(head)


def _lacks_index(file: BinaryIO) -> bool:
    """Whether it is an MP4 file that ends before its index."""
    position, names = 0, set()
    size = file.seek(0, 2)
    while position + 8 <= size:
        file.seek(position)
        head = file.read(16)
        length, name = int.from_bytes(head[:4]), head[4:8]
        if name not in BOXES:
            break
        names.add(name)
        if length == 1:
            length = int.from_bytes(head[8:])
        if length < 8:
            break
        position += length
    return bool(names & {b"ftyp", b"mdat"}) and b"moov" not in names
