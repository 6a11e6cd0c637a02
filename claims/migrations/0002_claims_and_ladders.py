import datetime
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chatbot", "0010_slug_in_words"),
        ("claims", "0001_conversations"),
    ]

    operations = [
        migrations.CreateModel(
            name="Ladder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "repeats",
                    models.PositiveSmallIntegerField(
                        default=2, help_text="How often the last wave is told again."
                    ),
                ),
                ("repeat_every", models.DurationField(default=datetime.timedelta(seconds=180))),
                (
                    "alarm",
                    models.BooleanField(default=True, help_text="At the end, tell the operators."),
                ),
                (
                    "claim_lease",
                    models.DurationField(
                        blank=True,
                        default=datetime.timedelta(seconds=1800),
                        help_text="A claim without activity goes back to the pool after this. Empty: never.",
                        null=True,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Unreachable",
            fields=[
                (
                    "bot",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="unreachable",
                        serialize=False,
                        to="chatbot.bot",
                    ),
                ),
                ("since", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "unreachable bots",
            },
        ),
        migrations.CreateModel(
            name="Wave",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("after", models.DurationField(help_text="Since the customer began to wait.")),
                (
                    "audience",
                    models.CharField(
                        choices=[
                            ("awake", "Subscribers who are awake and on a phone that answers"),
                            ("subscribers", "All subscribers who may respond"),
                            ("responders", "Everyone who may respond, subscribed or not"),
                            ("role", "Those of a role who may respond"),
                            ("operators", "Operators"),
                        ],
                        max_length=12,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="conversation",
            name="claimed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="conversation",
            name="holder",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="claims",
                to="chatbot.membership",
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="holder_external_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=128),
        ),
        migrations.AddField(
            model_name="conversation",
            name="holder_name",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="conversation",
            name="lease_until",
            field=models.DateTimeField(
                blank=True, help_text="When an idle claim goes back to the pool.", null=True
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="left_by",
            field=models.ForeignKey(
                blank=True,
                help_text="Who released, handed back or resolved it: the same once more is no error.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="chatbot.membership",
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="next_wave_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="conversation",
            name="waiting_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="conversation",
            name="wave",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, help_text="How many rungs of the ladder have been rung."
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                models.F("organization"),
                models.OrderBy(models.F("changed_at"), descending=True),
                name="conversation_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("next_wave_at__isnull", False)),
                fields=["next_wave_at"],
                name="conversation_to_climb",
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("lease_until__isnull", False)),
                fields=["lease_until"],
                name="conversation_to_lapse",
            ),
        ),
        migrations.RunSQL(
            # What we knew of older claims is when they were made.
            "UPDATE claims_conversation SET claimed_at = changed_at WHERE state = 'claimed';"
            "UPDATE claims_conversation SET waiting_since = changed_at WHERE state = 'waiting';",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="conversation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("claimed_at__isnull", False), ("state", "claimed")),
                    models.Q(
                        models.Q(("state", "claimed"), _negated=True),
                        ("claimed_at", None),
                        ("holder", None),
                        ("holder_external_id", ""),
                        ("holder_name", ""),
                        ("lease_until", None),
                    ),
                    _connector="OR",
                ),
                name="conversation_held_while_claimed",
            ),
        ),
        migrations.AddConstraint(
            model_name="conversation",
            constraint=models.CheckConstraint(
                condition=models.Q(("next_wave_at", None), ("state", "waiting"), _connector="OR"),
                name="conversation_climbs_while_waiting",
            ),
        ),
        migrations.AddField(
            model_name="ladder",
            name="bot",
            field=models.OneToOneField(
                blank=True,
                help_text="Empty: of every bot that has none of its own.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="ladder",
                to="chatbot.bot",
            ),
        ),
        migrations.AddField(
            model_name="ladder",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="ladders",
                to="chatbot.organization",
            ),
        ),
        migrations.AddField(
            model_name="wave",
            name="ladder",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="waves",
                to="claims.ladder",
            ),
        ),
        migrations.AddField(
            model_name="wave",
            name="role",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="chatbot.role",
            ),
        ),
        migrations.AddConstraint(
            model_name="ladder",
            constraint=models.UniqueConstraint(
                condition=models.Q(("bot", None)),
                fields=("organization",),
                name="ladder_default_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="ladder",
            constraint=models.CheckConstraint(
                condition=models.Q(("repeat_every__gte", datetime.timedelta(seconds=30))),
                name="ladder_repeat_every",
            ),
        ),
        migrations.AddConstraint(
            model_name="ladder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("claim_lease", None),
                    ("claim_lease__gte", datetime.timedelta(seconds=60)),
                    _connector="OR",
                ),
                name="ladder_claim_lease",
            ),
        ),
        migrations.AddConstraint(
            model_name="wave",
            constraint=models.UniqueConstraint(fields=("ladder", "after"), name="wave_unique"),
        ),
        migrations.AddConstraint(
            model_name="wave",
            constraint=models.CheckConstraint(
                condition=models.Q(("after__gte", datetime.timedelta(0))), name="wave_after"
            ),
        ),
        migrations.AddConstraint(
            model_name="wave",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("audience", "role"), ("role__isnull", False)),
                    models.Q(models.Q(("audience", "role"), _negated=True), ("role", None)),
                    _connector="OR",
                ),
                name="wave_role",
            ),
        ),
    ]
