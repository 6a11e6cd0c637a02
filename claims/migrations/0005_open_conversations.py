from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("claims", "0004_left_at"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "claimed"])),
                fields=["organization", "state"],
                name="conversation_open",
            ),
        ),
    ]
