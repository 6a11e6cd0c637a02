from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("claims", "0003_outbound"),
    ]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="left_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When it was last released, handed back or resolved.",
                null=True,
            ),
        ),
        migrations.RunSQL(
            # What we knew of older ends is when they were reported.
            "UPDATE claims_conversation SET left_at = changed_at"
            " WHERE state IN ('with_bot', 'resolved');",
            migrations.RunSQL.noop,
        ),
    ]
