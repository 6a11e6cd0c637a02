"""The documentation in the browser: one page to read, one to try requests on, and the document.

All of it comes from this server: none of the pages needs another host.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.permissions import AllowAny

from channels_app.api import etags

# Redoc would fetch its maker's logo from its maker, builds its styles as it draws, and searches in
# a worker made from a string.
OWN_HOST_ONLY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src blob:"
)


@require_safe
def document(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document, as JSON."""
    content, etag = _document()
    response = HttpResponse(content, content_type="application/json", headers={"ETag": etag})
    # It changes with the version, and with the settings.
    response["Cache-Control"] = "no-cache"
    answer = get_conditional_response(request, etag=etag, response=response)
    assert isinstance(answer, HttpResponse)
    return answer


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """All there is to read, with examples."""
    page = render(request, "pages/api_reference.html")
    page["Content-Security-Policy"] = OWN_HOST_ONLY
    return page


class TrialView(SpectacularSwaggerView):
    """Sends requests; staff may use their session of the admin."""

    permission_classes = [AllowAny]
    url_name = "api-schema"
    template_name = "pages/api_trial.html"


@cache
def _document() -> tuple[bytes, str]:
    """Made once: it takes a second of CPU, and anybody may ask."""
    generator: Any = SchemaGenerator  # It has no types.
    schema = generator().get_schema(request=None, public=True)
    content = OpenApiJsonRenderer().render(schema)
    return content, etags.of_content(content)
