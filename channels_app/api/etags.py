"""Conditional requests (RFC 9110, section 13): what has not changed is not sent again.

Every answer to a GET has an ETag and may be kept by the caller, who asks again with If-None-Match
and gets 304. iOS and Android do that by themselves. A change may be made conditional by If-Match.
"""

from __future__ import annotations

from hashlib import blake2b
from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app.problems import Problem


def of_content(content: bytes) -> str:
    """The strong ETag of these bytes, quoted."""
    return f'"{blake2b(content, digest_size=16).hexdigest()}"'


def conditional(request: HttpRequest, response: Response) -> HttpResponseBase:
    """A rendered answer to a GET, or 304 if the caller has it already."""
    patch_cache_control(response, private=True, no_cache=True)
    patch_vary_headers(response, ("Authorization", "Cookie"))
    if response.status_code != HTTPStatus.OK:
        return response
    response.headers.setdefault("ETag", of_content(response.content))
    answer = get_conditional_response(request, etag=response["ETag"], response=response)
    assert answer is not None
    return answer


def check_unchanged(request: Request, representation: object) -> None:
    """Obey If-Match: `representation` is what a GET of the same address would answer now.

    Raises:
        Problem: 412, it is not what the caller has seen.
    """
    wanted = parse_etags(request.headers.get("If-Match", ""))
    if not wanted or wanted == ["*"]:
        return
    if of_content(JSONRenderer().render(representation)) not in wanted:
        raise Problem(
            HTTPStatus.PRECONDITION_FAILED,
            "It has changed since you got it: If-Match names another version.",
        )
