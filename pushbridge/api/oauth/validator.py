"""Who may refresh a token, and what a phone gets that has lost the answer."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from oauth2_provider.models import AccessToken, RefreshToken, set_token_value
from oauth2_provider.oauth2_validators import OAuth2Validator


class Validator(OAuth2Validator):  # type: ignore[misc]  # it has no types
    """The toolkit's rules, and ours."""

    def validate_refresh_token(
        self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Whether it may be used up; not by somebody who is no longer active."""
        valid = super().validate_refresh_token(refresh_token, client, request, *args, **kwargs)
        return bool(valid and request.user.is_active)

    def _save_bearer_token(
        self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any
    ) -> None:
        """Give a new pair of tokens to who asks with the refresh token just used up.

        A phone that never saw the answer asks again, and the toolkit would repeat that answer
        within REFRESH_TOKEN_GRACE_PERIOD_SECONDS. With hashes alone it answers empty strings
        (3.4.1). So the pair that went astray gets new values; who has the old ones has nothing.
        """
        access, refresh = token["access_token"], token.get("refresh_token", "")
        super()._save_bearer_token(token, request, *args, **kwargs)
        if token["access_token"]:
            return
        used_up = sha256(request.refresh_token.encode()).hexdigest()
        astray = AccessToken.objects.select_for_update().get(
            source_refresh_token__token_checksum=used_up
        )
        for row, value in (
            (astray, access),
            (RefreshToken.objects.get(access_token=astray, revoked=None), refresh),
        ):
            set_token_value(row, value)
            row.save()
        token["access_token"], token["refresh_token"] = access, refresh
