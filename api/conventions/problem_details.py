"""Errors as RFC 9457 problem details: `application/problem+json` with what happened, why and what to do."""

from http import HTTPStatus
from typing import Any

from django.http import Http404, JsonResponse
from rest_framework import serializers
from rest_framework.exceptions import APIException, ErrorDetail, Throttled, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

CONTENT_TYPE = "application/problem+json"


class ProblemSerializer(serializers.Serializer):
    """A problem, for the schema."""

    type = serializers.CharField(help_text="Always about:blank")
    title = serializers.CharField(help_text="What happened")
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="Why, and what to do")
    code = serializers.CharField(help_text="Stable machine-readable code")
    errors = serializers.DictField(required=False, help_text="Errors by field")


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Exception handler for REST framework."""
    response = exception_handler(error, context)
    if response is None:
        return None
    response.data = _problem(error, response)
    response.content_type = CONTENT_TYPE
    return response


def json_response(status: HTTPStatus, error: dict[str, str]) -> JsonResponse:
    """A problem outside REST framework. `error`: code, what, why and action."""
    return JsonResponse(
        {"type": "about:blank", "status": status.value, **_fields_of(error)}, status=status, content_type=CONTENT_TYPE
    )


def _fields_of(error: dict[str, Any]) -> dict[str, Any]:
    return {"title": str(error["what"]), "detail": f"{error['why']} {error['action']}", "code": error["code"]}


def _problem(error: Exception, response: Response) -> dict[str, Any]:
    status = HTTPStatus(response.status_code)
    problem: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": ""}
    match error:
        case ValidationError():
            problem |= {"title": "Invalid request.", "detail": "See “errors” for details.", "code": "invalid"}
            problem["errors"] = (
                response.data if isinstance(response.data, dict) else {"non_field_errors": response.data}
            )
        case Throttled(wait=wait):
            problem |= {"title": "Too many requests.", "code": "rate_limited"}
            problem["detail"] = f"Retry in {wait:.0f} s." if wait else "Retry later."
        case APIException(detail=dict() as detail) if "what" in detail:
            problem |= _fields_of(detail)
        case APIException(detail=ErrorDetail() as detail):
            problem |= {"detail": str(detail), "code": detail.code}
        case Http404():
            why = "Not found: it was deleted, never existed, belongs to another account, or the URL is wrong."
            problem |= {"detail": why, "code": "not_found"}
        case _:
            problem["code"] = status.name.lower()
    return problem
