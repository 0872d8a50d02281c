"""Transcribe a recording with vosk-transcriber's class for servers: URL TOKEN FILE. Prints a line for each result.

Its command line knows only `ws://localhost:2700`, and loads a model even where a server has one.
"""

import sys
from argparse import Namespace

from vosk.transcriber import transcriber

url, token, file = sys.argv[1:]
transcriber.Model = lambda **_: None
server = f"{url.replace('http', 'ws')}/vosk?token={token}"
options = Namespace(server=server, model=None, model_name=None, lang=None, output_type="txt", tasks=1)
transcriber.Transcriber(options).process_task_list([(file, "")])
