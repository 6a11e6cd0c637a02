"""What the page's API takes in and how it says no; and the headers that keep its page safe."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from channels_app.sandbox.wire import NotJson, strict_json

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
MAX_TEXT_CHARACTERS = 120
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def secured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Security headers on everything; only same-origin pages may change anything."""
    if request.method not in ("GET", "HEAD") and not _same_origin(request):
        raise problem(403, "another site's page may not do this")
    response = await handler(request)
    if not response.prepared:
        response.headers.update(SECURITY_HEADERS)
    return response


def _same_origin(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    return origin is None or origin == f"{request.scheme}://{request.host}"


def problem(status: int, detail: str) -> web.HTTPException:
    """Problem details (RFC 9457), to be raised."""
    error = web.HTTPException(
        text=json.dumps({"status": status, "detail": detail}),
        content_type="application/problem+json",
        headers=SECURITY_HEADERS,
    )
    error.set_status(status)
    return error


async def json_object(request: web.Request) -> dict[str, Any]:
    """The body as a JSON object. Raises a 400."""
    try:
        content = strict_json(await request.read())
    except NotJson as error:
        raise problem(400, "the body is no JSON") from error
    if not isinstance(content, dict):
        raise problem(400, "the body is a JSON object")
    return content


def text(content: dict[str, Any], key: str) -> str:
    """A name of reasonable length. Raises a 400."""
    value = content.get(key)
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT_CHARACTERS:
        raise problem(400, f"{key} is a text of 1 to {MAX_TEXT_CHARACTERS} characters")
    return value


def number(digits: str) -> int:
    """A number from 0, as it stands in a URL. Raises a 400."""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise problem(400, "that is a whole number")
    return int(digits)


def is_count(value: object) -> bool:
    """Whether this is a whole number from 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
