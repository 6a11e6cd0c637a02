from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chatbot", "0003_delivery_holder"),
    ]

    operations = [
        migrations.AlterField(
            model_name="attempt",
            name="number",
            field=models.PositiveIntegerField(),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="attempts",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("route_attempts__gt", 0), ("state", "received")),
                fields=["lane", "route_attempts", "route_at"],
                name="event_to_route_again",
            ),
        ),
    ]
