"""What a credential lets an app do. What a *person* may do is each endpoint's own question."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from channels_app.api.credentials import Credential, Scope
from channels_app.problems import Problem

if TYPE_CHECKING:
    # REST framework's views import what its settings name.
    from rest_framework.views import APIView


class InScope(BasePermission):
    """Reading needs the scope `read`, everything else `write`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Raises Problem: 403 as RFC 6750, section 3.1 wants it."""
        needed = Scope.READ if request.method in SAFE_METHODS else Scope.WRITE
        held = request.auth.scopes if isinstance(request.auth, Credential) else frozenset(Scope)
        if needed in held:
            return True
        raise Problem(
            HTTPStatus.FORBIDDEN,
            f"This token was not given the scope {needed.value!r}.",
            headers={
                "WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{needed.value}"'
            },
        )
