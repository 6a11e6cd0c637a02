"""Django's request handler for the door alone: no middleware."""

from __future__ import annotations

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler

PREFIX = "/webhooks/"


class DoorHandler(WSGIHandler):
    """Answers signed webhooks without what only people need.

    Sessions, CSRF tokens, users, messages and static files have no part in a signed request, and
    take a quarter of the time that it costs. Behind a proxy that ends TLS the redirect to https is
    none of its business either: a POST is not repeated after it.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        # What BaseHandler.load_middleware leaves behind when settings.MIDDLEWARE is empty.
        self._view_middleware: list[object] = []
        self._template_response_middleware: list[object] = []
        self._exception_middleware: list[object] = []
        self._middleware_chain = convert_exception_to_response(
            self._get_response  # type: ignore[attr-defined]  # the stubs leave it out
        )
