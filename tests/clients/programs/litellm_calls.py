"""Transcribe a recording and speak with LiteLLM: URL TOKEN RECORDING SPEECH. Prints the transcript."""

import sys
from pathlib import Path

import litellm

TEXT = "The quick brown fox jumps over the lazy dog, and no one minds."
url, token, recording, speech = sys.argv[1:]
options = {"api_base": f"{url}/v1", "api_key": token}
if recording:
    with open(recording, "rb") as file:
        print(litellm.transcription(model="openai/whisper-1", file=file, **options).text)
if speech:
    response = litellm.speech(model="openai/tts-1", voice="alloy", input=TEXT, response_format="pcm", **options)
    Path(speech).write_bytes(response.content)
