"""Transcribe a recording with WhisperLiveKit's test client: URL TOKEN FILE [MODE]. Prints the committed lines.

It is run as a file: the package imports engines.
"""

import asyncio
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

url, token, file, *mode = sys.argv[1:]
client = runpy.run_path(str(Path(find_spec("whisperlivekit").origin).parent / "test_client.py"))
socket = f"{url.replace('http', 'ws')}/asr?token={token}&language=en"
result = asyncio.run(client["transcribe_audio"](file, socket, speed=0, mode=mode[0] if mode else "full"))
print(result.committed_text)
