"""How Django sends a problem, where REST framework does not."""

from __future__ import annotations

from django.http import JsonResponse

from channels_app.problems import CONTENT_TYPE, Problem


def response(problem: Problem) -> JsonResponse:
    return JsonResponse(
        problem.members(),
        status=problem.status,
        content_type=CONTENT_TYPE,
        headers=problem.headers,
    )
