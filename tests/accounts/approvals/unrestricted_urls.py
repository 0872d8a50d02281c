"""The site's URLs with two additional views that do not restrict access."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dsm_site.urls import urlpatterns as site_urlpatterns


def unrestricted(request: HttpRequest) -> HttpResponse:
    return HttpResponse("secret")


class UnrestrictedAPI(APIView):
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        return Response("secret")


urlpatterns = [
    path("unrestricted/", unrestricted, name="account_unrestricted"),
    path("unrestricted-api/", UnrestrictedAPI.as_view()),
    *site_urlpatterns,
]
