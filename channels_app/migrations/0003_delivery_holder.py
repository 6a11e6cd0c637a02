from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chatbot", "0002_bridge"),
    ]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="holder",
            field=models.CharField(
                db_default="",
                default="",
                help_text="Sending: the process that has the lease (`settings.LEASE_HOLDER`).",
                max_length=8,
            ),
        ),
    ]
