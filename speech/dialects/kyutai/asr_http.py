"""A whole file at once, as Kyutai's servers transcribe it: POST `/api/asr-streaming`."""

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
    """As there: without a word where the token is wrong, with words else, and 500 where it is no refusal."""
    if isinstance(error, NotAuthenticated):
        return HttpResponse(status=401)
    status = error.status if isinstance(error, AccessDenied) else 500
    return HttpResponse(f"{error.what} {error.why} {error.action}", status=status, content_type="text/plain")


@api_view(STT, error_response)
async def transcribe_file(request: HttpRequest, caller: Caller) -> HttpResponse:
    if request.method != "POST":
        return HttpResponse("This is for POST requests and for WebSockets.", status=400)
    with NamedTemporaryFile() as file:
        while chunk := request.read(1 << 20):
            file.write(chunk)
            if file.tell() > MAX_FILE:
                return HttpResponse(f"The file is too large. The bound is {MAX_FILE} bytes.", status=413)
        file.flush()
        heard = await transcribe_in_one_stream(caller, decode(file.name), wait=True)
    told: list[dict[str, object]] = []
    for word in heard.words:
        told.append({"type": "Word", "text": word.text, "start_time": word.start})
        told.append({"type": "EndWord", "stop_time": word.end})
    return JsonResponse(told, safe=False)
