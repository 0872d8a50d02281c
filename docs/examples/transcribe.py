# pip install websockets; DSM_TOKEN=… python transcribe.py speech.wav   (mono, 16 bit)
import json
import os
import sys
import threading
import wave

from websockets.sync.client import connect


def send(socket):
    for i in range(0, len(audio), 8000):
        socket.send(audio[i : i + 8000])
    socket.send('{"type": "stop"}')


with wave.open(sys.argv[1]) as wav:
    audio, rate = wav.readframes(wav.getnframes()), wav.getframerate()
url = os.environ.get("DSM_URL", "http://127.0.0.1:8000").replace("http", "ws", 1)
headers = {"Authorization": f"Bearer {os.environ['DSM_TOKEN']}"}
with connect(f"{url}/ws/pcm?rate={rate}", additional_headers=headers) as socket:
    threading.Thread(target=send, args=[socket], daemon=True).start()
    for event in map(json.loads, socket):
        if event["type"] == "word":
            print(f"{event['start']:6.2f} {event['end']:6.2f}  {event['text']}")
        elif event["type"] == "error":
            sys.exit(f"{event['what']} {event['why']} {event['action']}")
