"""Requests with NUL characters are rejected: no user types them, and PostgreSQL can't store or search for them.

This covers what Django decodes: URLs, queries, cookies and the forms of pages. REST framework rejects them in JSON.
"""

from asyncio import iscoroutinefunction
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.utils.decorators import sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin


@sync_and_async_middleware
def reject_nul(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Must precede all middleware that looks up a URL or a cookie."""
    if iscoroutinefunction(get_response):

        async def middleware_async(request: HttpRequest) -> HttpResponseBase:
            _check([request.path_info, *_texts(request.GET), *request.COOKIES.values()])
            response: HttpResponseBase = await get_response(request)
            return response

        return middleware_async

    def middleware(request: HttpRequest) -> HttpResponseBase:
        _check([request.path_info, *_texts(request.GET), *request.COOKIES.values()])
        response: HttpResponseBase = get_response(request)
        return response

    return middleware


class RejectNulInForms(MiddlewareMixin):
    """Must follow Django's CsrfViewMiddleware, which has parsed the form. Views that it exempts parse their bodies
    themselves."""

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        if request.method == "POST" and not getattr(view, "csrf_exempt", False):
            _check(_texts(request.POST))


def _texts(fields: QueryDict) -> Iterable[str]:
    for name, values in fields.lists():
        yield name
        yield from values


def _check(texts: Iterable[str]) -> None:
    if any("\0" in text for text in texts):
        raise BadRequest("The request contains a NUL character.")
