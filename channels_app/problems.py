"""Problem details (RFC 9457): what a caller did wrong, in a form that a program can read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus

CONTENT_TYPE = "application/problem+json"

Members = dict[str, object]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a body. `pointer` says where (RFC 6901), `detail` what."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class ParameterFault:
    """One thing that is wrong in the query of the address, or in a header."""

    parameter: str
    detail: str


class Problem(Exception):
    """An answer that refuses a request; whatever answers requests knows how to send one.

    Attributes:
        detail: a sentence for the caller, which quotes nothing of what they sent.
        faults: each place that is wrong, where the problem has places.
        headers: further headers of the answer, `Retry-After` for one.
        extra: further members of the answer, by which a program may tell cases apart.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        faults: Iterable[Fault | ParameterFault] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def members(self) -> Members:
        """The JSON object. Without `type` a problem means what its status means (section 4.2.1)."""
        members: Members = {
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            **self.extra,
        }
        if self.faults:
            members["errors"] = [asdict(fault) for fault in self.faults]
        return members
