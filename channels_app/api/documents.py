"""What the OpenAPI document says of refusals that are an endpoint's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from channels_app.problems import CONTENT_TYPE, Problem

PROBLEM = {"$ref": "#/components/schemas/Problem"}

# A parameter that is the id of an event: what fits into 64 bits, however many nines.
MOST_DIGITS = 18
EVENT_ID = {"type": "integer", "format": "int64", "minimum": 0, "maximum": 10**MOST_DIGITS - 1}

Responses = dict[tuple[int, str], OpenApiResponse]


def refusal(problem: Problem, meaning: str) -> Responses:
    """One entry for `extend_schema(responses={200: …, **refusal(…)})`, with this as its example.

    What every endpoint may answer (400, 401, 403, 404, 429 and so on) is there without it.
    """
    return refusals({problem.status.value: meaning}, examples=[problem])


def refusals(meanings: Mapping[int, str], *, examples: list[Problem] | None = None) -> Responses:
    """The same for several, by status."""
    return {
        (status, CONTENT_TYPE): OpenApiResponse(
            PROBLEM,
            description=meaning,
            examples=[
                _example(problem) for problem in examples or () if problem.status.value == status
            ],
        )
        for status, meaning in meanings.items()
    }


def _example(problem: Problem) -> OpenApiExample:
    value: dict[str, Any] = problem.members()
    return OpenApiExample(
        problem.status.phrase,
        value=value,
        media_type=CONTENT_TYPE,
        response_only=True,
        status_codes=[str(problem.status.value)],
    )
