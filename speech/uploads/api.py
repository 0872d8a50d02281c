"""HTTP API of the Upload page: announce a file, send its parts, watch its progress (`service.py`)."""

import uuid

from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BooleanField, CharField, IntegerField, Serializer
from rest_framework.views import APIView

from speech.errors import StreamError
from speech.models import Upload
from speech.models.upload import NAME_LENGTH
from speech.uploads import service
from speech.uploads.errors import UploadError

MAX_PART = 2 * 1024 * 1024
"""Bytes that the page sends at a time."""


class NewUpload(Serializer):
    name = CharField(max_length=NAME_LENGTH)
    size = IntegerField(min_value=0)
    engine = CharField(required=False, allow_blank=True, default="", max_length=50)
    language = CharField(required=False, allow_blank=True, default="", max_length=20)
    audio = BooleanField(required=False, default=False)
    multichannel = BooleanField(required=False, default=False)


class Uploads(APIView):
    def get(self, request: Request) -> Response:
        uploads = Upload.objects.of(request.user).select_related("session")
        return Response({"uploads": [upload.to_dict() for upload in uploads]})

    def post(self, request: Request) -> Response:
        """Announce a file, or resume an incomplete one; `received` is the offset to send from."""
        announced = NewUpload(data=request.data)
        announced.is_valid(raise_exception=True)
        try:
            upload = service.create_upload(request.user, **announced.validated_data)
        except UploadError as error:
            return _error_response(error)
        return Response(upload.to_dict(), status=status.HTTP_201_CREATED)


class OneUpload(APIView):
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return Response(_upload(request, pk).to_dict())

    def put(self, request: Request, pk: uuid.UUID) -> Response:
        """Store the body as the bytes that follow the first `offset`. 409 if `received` is another offset."""
        upload = _upload(request, pk)
        size = int(request.META.get("CONTENT_LENGTH") or 0)
        try:
            is_stored = service.add_part(upload, request.query_params.get("offset", ""), size, request._request)
        except UploadError as error:
            return _error_response(error)
        except Upload.DoesNotExist:
            raise Http404 from None
        return Response(upload.to_dict(), status=status.HTTP_200_OK if is_stored else status.HTTP_409_CONFLICT)

    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Have a truncated file transcribed as it is."""
        upload = _upload(request, pk)
        service.accept_truncated(upload)
        return Response(upload.to_dict())

    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        service.cancel(_upload(request, pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _upload(request: Request, pk: uuid.UUID) -> Upload:
    return get_object_or_404(Upload.objects.of(request.user).select_related("session"), pk=pk)


def _error_response(error: StreamError) -> Response:
    body = {"what": error.what, "why": error.why, "action": error.action}
    return Response(body, status=status.HTTP_400_BAD_REQUEST)
