"""What went wrong, as RFC 9457 has it: `application/problem+json`, with what happened, why, and what to do."""

from http import HTTPStatus
from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.exceptions import APIException, ErrorDetail, Throttled, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

CONTENT_TYPE = "application/problem+json"


class ProblemSerializer(serializers.Serializer):
    """For the schema."""

    type = serializers.CharField(help_text="about:blank: `title` and `status` say it all")
    title = serializers.CharField(help_text="What happened")
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="Why, and what to do")
    code = serializers.CharField(help_text="For programs: it does not change")
    errors = serializers.DictField(required=False, help_text="What is wrong with each field that was sent")


def problem_of(error: Exception, context: dict[str, Any]) -> Response | None:
    """The handler of REST framework's exceptions."""
    response = exception_handler(error, context)
    if response is None:
        return None
    response.data = _detail(error, response)
    response.content_type = CONTENT_TYPE
    return response


def _detail(error: Exception, response: Response) -> dict[str, Any]:
    status = HTTPStatus(response.status_code)
    told: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": ""}
    match error:
        case ValidationError():
            told |= {"title": "What was sent is not valid.", "detail": "See “errors”.", "code": "invalid"}
            told["errors"] = response.data if isinstance(response.data, dict) else {"non_field_errors": response.data}
        case Throttled(wait=wait):
            told |= {"title": "You ask too often.", "code": "rate_limited"}
            told["detail"] = f"Ask again in {wait:.0f} s." if wait else "Ask again later."
        case APIException(detail=dict() as detail) if "what" in detail:
            told |= {
                "title": str(detail["what"]),
                "detail": f"{detail['why']} {detail['action']}",
                "code": detail["code"],
            }
        case APIException(detail=ErrorDetail() as detail):
            told |= {"detail": str(detail), "code": detail.code}
        case Http404():
            why = "There is nothing of yours here: it was deleted, or never was, or the address is misspelled."
            told |= {"detail": why, "code": "not_found"}
        case _:
            told["code"] = status.name.lower()
    return told
