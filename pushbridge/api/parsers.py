"""Bodies of `/api/`: JSON as strict as the webhooks', within the same size."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import IO, Any

from django.conf import settings
from django.http.request import UnreadablePostError
from rest_framework.parsers import BaseParser

from channels_app import strict_json
from channels_app.problems import Fault, Problem


class StrictJSONParser(BaseParser):
    """Reads what PostgreSQL, JavaScript and Python agree upon."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Raises Problem: 400, 413 or 415."""
        request = (parser_context or {})["request"]
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must not be compressed.")
        limit: int = settings.API_MAX_BYTES
        try:
            body = stream.read(limit + 1)
        except UnreadablePostError:
            raise Problem(HTTPStatus.BAD_REQUEST, "The body broke off.") from None
        if len(body) > limit:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body may have {limit:,} bytes at most."
            )
        try:
            return strict_json.loads(body)
        except strict_json.Unreadable as error:
            faults = [Fault(error.pointer, error.detail)] if error.pointer else []
            raise Problem(
                HTTPStatus.BAD_REQUEST, f"Not read: {error.detail}.", faults=faults
            ) from None
