"""Problem details (RFC 9457): what a caller did wrong, in a form that a program can read."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from django.http import JsonResponse

from channels_app.problems import Fault

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer that refuses a request.

    Attributes:
        detail: a sentence for the caller, which quotes nothing of what they sent.
        faults: each place that is wrong, where the problem has places.
        headers: further headers of the answer, `Retry-After` for one.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = faults
        self.headers = headers or {}

    def members(self) -> dict[str, object]:
        """The JSON object. Without `type` a problem means what its status means (section 4.2.1)."""
        members: dict[str, object] = {
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
        }
        if self.faults:
            members["errors"] = [
                {"pointer": fault.pointer, "detail": fault.detail} for fault in self.faults
            ]
        return members

    def response(self) -> JsonResponse:
        return JsonResponse(
            self.members(), status=self.status, content_type=CONTENT_TYPE, headers=self.headers
        )
