"""What a system needs before its processes start, in one Python rather than in three."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Migrate, and on the first start make the demo organization. `up` calls this."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, stdout=self.stdout)
        if not (settings.VAR_DIR / "demo-logins").exists():  # seed_demo writes it last
            call_command("seed_demo", stdout=self.stdout)
