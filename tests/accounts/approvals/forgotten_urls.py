"""The site with two views more, whose author gave no thought to who may see them."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dsm_site.urls import urlpatterns as of_the_site


def forgotten(request: HttpRequest) -> HttpResponse:
    return HttpResponse("secret")


class ForgottenAPI(APIView):
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        return Response("secret")


urlpatterns = [
    path("forgotten/", forgotten, name="account_forgotten"),
    path("forgotten-api/", ForgottenAPI.as_view()),
    *of_the_site,
]
