"""Transcription of a whole file as by Kyutai's server: POST `/api/asr-streaming`."""

from tempfile import NamedTemporaryFile

from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.credentials.principal import AccessDenied, Caller, NotAuthenticated
from accounts.scopes import STT
from speech.batch.decode import decode
from speech.batch.transcription import transcribe_in_one_stream
from speech.dialects.api_view import api_view
from speech.errors import StreamError

MAX_FILE = 32 * 1024 * 1024  # bytes


def error_response(error: AccessDenied | StreamError) -> HttpResponse:
    """As moshi-server: an empty 401 for a bad token, else plain text; 500 for a stream error."""
    if isinstance(error, NotAuthenticated):
        return HttpResponse(status=401, content_type="text/plain")
    status = error.status if isinstance(error, AccessDenied) else 500
    return HttpResponse(f"{error.what} {error.why} {error.action}", status=status, content_type="text/plain")


@api_view(STT, error_response, MAX_FILE)
async def transcribe_file(request: HttpRequest, caller: Caller) -> HttpResponse:
    if request.method != "POST":
        return HttpResponse("Use POST or a WebSocket.", status=400, content_type="text/plain")
    with NamedTemporaryFile() as file:
        while chunk := request.read(1 << 20):
            file.write(chunk)
            if file.tell() > MAX_FILE:
                return HttpResponse(
                    f"The file is too large. The limit is {MAX_FILE} bytes.", status=413, content_type="text/plain"
                )
        file.flush()
        transcript = await transcribe_in_one_stream(caller, decode(file.name), wait=True)
    messages: list[dict[str, object]] = []
    for word in transcript.words:
        messages.append({"type": "Word", "text": word.text, "start_time": word.start})
        messages.append({"type": "EndWord", "stop_time": word.end})
    return JsonResponse(messages, safe=False)
