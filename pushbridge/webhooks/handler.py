"""Django's request handler for the door alone: no middleware, no signals, one URL."""

from __future__ import annotations

from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import resolve

PREFIX = "/webhooks/"
RECEIVE = f"{PREFIX}v1/"


class DoorHandler(WSGIHandler):
    """Answers signed webhooks without what only people need.

    Sessions, CSRF tokens, users, messages and static files have no part in a signed request, and
    take a quarter of the time that it costs. Behind a proxy that ends TLS the redirect to https is
    none of its business either: a POST is not repeated after it.

    Nor are the signals sent that Django surrounds a request with. What listens to them replaces
    database connections that were lost, as `views` does by itself, and resets caches and URL
    settings that nothing here uses.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        # What BaseHandler.load_middleware leaves behind when settings.MIDDLEWARE is empty.
        self._view_middleware: list[object] = []
        self._template_response_middleware: list[object] = []
        self._exception_middleware: list[object] = []
        self._middleware_chain = convert_exception_to_response(
            self._get_response  # type: ignore[attr-defined]  # the stubs leave it out
        )
        self._receive = resolve(f"{RECEIVE}connection").func

    def answer(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and content of the answer to a request (its WSGI environ)."""
        response = self.get_response(self.request_class(environ))
        assert isinstance(response, HttpResponse)
        return response.status_code, list(response.headers.items()), response.content

    def resolve_request(self, request: HttpRequest) -> Any:
        """The view of a URL: Django's resolver knows all, and takes as long as a verification."""
        connection_id = request.path_info.removeprefix(RECEIVE)
        if connection_id != request.path_info and connection_id and "/" not in connection_id:
            return self._receive, (), {"connection_id": connection_id}
        return super().resolve_request(request)
