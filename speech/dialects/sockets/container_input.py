"""Decoding of a compressed file that arrives in pieces, such as the recording of a browser, in a process of its own.

The files are untrusted, and FFmpeg's libraries are old and large: see `speech/batch/decoder`. A message is decoded
before the next one is read; it takes some milliseconds, and a third of a second for the first one.
"""

import asyncio
import contextlib
import json
import logging
import sys
from pathlib import Path

from speech.batch import decoder
from speech.batch.decode import ERRORS, AudioError
from speech.batch.decoder.live import BLOCK
from speech.errors import AtCapacity, ProtocolError

logger = logging.getLogger(__name__)

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from decoder.live import main
sys.exit(main(sys.argv[2]))
"""
MAX_PROCESSES = 100
"""In a web process; each takes 60 MB."""
MAX_AUDIO = 10 * 60 * 48_000
"""Bytes that a message can contain, decoded: ten minutes. A small file can hold days of silence."""
TIMEOUT = 30.0
"""Seconds for the decoding of a message, while other processes may have the processor."""

_processes = 0  # of this web process


class ContainerInput:
    def __init__(self, format: str) -> None:
        """`format`: FFmpeg's name of the container."""
        self._format = format
        self.is_over = False
        """The file has ended, by its own declaration."""
        self._process: asyncio.subprocess.Process | None = None
        self._reading = asyncio.Lock()
        self._is_closed = False
        self._sent = self._received = 0  # bytes; the process has received the latter

    async def decode_message(self, data: bytes) -> bytes:
        """Return what can be decoded by now. Raises `ProtocolError`, or `AtCapacity` for the first message."""
        async with self._reading:
            process = self._process = self._process or await self._start()
            if self._is_closed:
                self._kill()
            self._sent += len(data)
            if process.stdin:
                process.stdin.write(data)
            return await self._read(process, self._sent)

    async def end(self) -> bytes:
        """End the stream and return the rest of its audio. Raises `ProtocolError`."""
        async with self._reading:
            process = self._process
            if process is None or self.is_over:
                return b""
            if process.stdin:
                process.stdin.close()
            return await self._read(process, None)

    async def close(self) -> None:
        """End the process, and with it what waits for it."""
        global _processes
        self._is_closed = True
        self._kill()
        async with self._reading:
            process, self._process = self._process, None
            if process:
                _processes -= 1
                await process.communicate()  # `wait` alone never returns while a pipe holds unread data

    def _kill(self) -> None:
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _start(self) -> asyncio.subprocess.Process:
        global _processes
        if _processes >= MAX_PROCESSES:
            raise AtCapacity(
                why="It decodes as many compressed streams as it can. Uncompressed ones are still accepted."
            )
        _processes += 1
        try:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-c", PROGRAM, str(Path(decoder.__file__).parent.parent), self._format),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={},
            )
        except BaseException:
            _processes -= 1
            raise

    async def _read(self, process: asyncio.subprocess.Process, until: int | None) -> bytes:
        """The audio of the blocks up to byte `until` of the input, or of all blocks."""
        audio = bytearray()
        try:
            async with asyncio.timeout(TIMEOUT):
                while until is None or self._received < until:
                    self._received = await self._read_block(process.stdout, audio)
        except asyncio.IncompleteReadError as end:
            errors = await process.stderr.read() if process.stderr else b""
            if end.partial or await process.wait():
                raise _error_of(errors) from None
            self.is_over = True
        except TimeoutError:
            raise AudioError(why="Decoding it took too long.") from None
        return bytes(audio)

    async def _read_block(self, pipe: asyncio.StreamReader | None, audio: bytearray) -> int:
        """Append its audio, and return the number of bytes that were read of the input."""
        assert pipe  # noqa: S101  (`_start` opened it)
        received, size = BLOCK.unpack(await pipe.readexactly(BLOCK.size))
        if len(audio) + size > MAX_AUDIO:
            raise ProtocolError("A message has too much audio.", "The limit is ten minutes.")
        audio += await pipe.readexactly(size)
        return int(received)


def _error_of(output: bytes) -> AudioError:
    """The error in the last line; a process that was killed for exceeding its limits writes none."""
    try:
        detail = json.loads(output.splitlines()[-1])
        error = ERRORS[detail["error"]]()
    except (IndexError, ValueError, LookupError, TypeError):
        detail, error = output.decode(errors="replace")[-500:], AudioError()
    logger.info("could not decode a stream: %s", detail)
    return error
