from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

ARABIC = "ar,de;q=0.5"


@pytest.mark.django_db
def test_the_admin_is_english_whatever_the_browser_asks_for(client: Client) -> None:
    """Half of it would be Django's translation, and the half that explains would be English."""
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"

    page = client.get("/admin/login/", headers={"accept-language": ARABIC}).content.decode()

    assert '<html lang="en' in page and 'dir="ltr"' in page
    assert "Password" in page and "Passwort" not in page
