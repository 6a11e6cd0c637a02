"""The pages on which a person signs in and lets an app act for them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, JsonResponse
from oauth2_provider.views import AuthorizationView, TokenView

# The name of its address.
SIGN_IN = "sign-in"
GRANTS = frozenset(settings.OAUTH2_PROVIDER["OAUTH2_GRANT_TYPES_SUPPORTED"])


class SignInView(LoginView):
    """For everyone, where the admin's page takes staff alone."""

    template_name = "pages/sign_in.html"
    # Whoever comes without an address to go on to stays here, and sees that they are signed in.
    next_page = SIGN_IN


class SignOutView(LogoutView):
    """Ends the session of the browser; tokens that apps have stay."""

    next_page = SIGN_IN
    http_method_names = ["post"]


class ConsentView(AuthorizationView):  # type: ignore[misc]  # it has no types
    """Asks each time. An app that anybody can copy is never let in unasked (RFC 8252, 8.6)."""

    template_name = "pages/consent.html"
    login_url = SIGN_IN

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # The toolkit would let an address say that who agreed once need not be asked again.
        said = request.GET.copy()
        said.pop("approval_prompt", None)
        cast(Any, request).GET = said
        answer: HttpResponse = super().get(request, *args, **kwargs)
        return answer


class ExchangeView(TokenView):  # type: ignore[misc]  # it has no types
    """A code, or a refresh token, for an access token."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.POST.get("grant_type") not in GRANTS:
            # The toolkit would check a password first, and then say so.
            return _bad_request("unsupported_grant_type")
        # NUL is in nothing that we gave out, and PostgreSQL takes no text with it.
        if any("\0" in value for _, values in request.POST.lists() for value in values):
            return _bad_request("invalid_request")
        answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer


def _bad_request(error: str) -> JsonResponse:
    """An error as RFC 6749, section 5.2 wants it."""
    return JsonResponse(
        {"error": error}, status=HTTPStatus.BAD_REQUEST, headers={"Cache-Control": "no-store"}
    )
