"""`/status`: the operations overview as JSON, for monitoring."""

from asgiref.sync import async_to_sync
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.accounts import AdminView
from operations.report.overview import overview


class Overview(AdminView, APIView):
    """The overview, for administrators and for tokens with the scope `admin`."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return Response(async_to_sync(overview)())
