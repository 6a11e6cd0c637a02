"""`manage.py seed_demo`: the demo's organizations, people and phones."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from pushbridge.demo import logins, seeding
from pushbridge.demo.cast import LOGINS
from pushbridge.demo.sandbox import Sandbox, SandboxGone


class Command(BaseCommand):
    help = (
        "Make the demo's organizations, people and phones, or put back what is missing of them."
        " `up` does it on its first start. Prints the logins and keeps them in var/demo-logins."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        sandbox = Sandbox(settings.SANDBOX_URL) if settings.SANDBOX_URL else None
        file = settings.VAR_DIR / "demo-logins"
        try:
            passwords = seeding.seed(
                sandbox=sandbox, known=logins.read(file, LOGINS), now=timezone.now()
            )
        except SandboxGone as error:
            raise CommandError(
                f"The sandbox gateway does not answer ({error})."
                " Start the system: python3 manage.py up"
            ) from error
        text = logins.table(
            seeding.logins_with(sandbox), passwords, url=f"{settings.PUBLIC_URL}/admin/"
        )
        logins.write(file, text)
        self.stdout.write(text, ending="")
