import datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("people", "0001_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Preference",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("mail", models.JSONField(default=dict)),
                ("quiet_from", models.TimeField(null=True)),
                ("quiet_until", models.TimeField(null=True)),
                ("urgent_passes", models.BooleanField(default=True)),
                ("digest_at", models.TimeField(default=datetime.time(8, 0))),
                ("version", models.IntegerField(default=1)),
            ],
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                (
                    "kind",
                    models.CharField(choices=[("slack", "Slack"), ("teams", "Microsoft Teams"), ("json", "Signed JSON")], max_length=10),
                ),
                ("host", models.CharField(max_length=255)),
                ("made_at", models.DateTimeField()),
                ("retired_at", models.DateTimeField(null=True)),
                ("version", models.IntegerField(default=1)),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=60)),
                ("subject", models.CharField(max_length=200)),
                ("text", models.TextField(blank=True, default="")),
                ("path", models.CharField(blank=True, default="", max_length=500)),
                ("is_urgent", models.BooleanField(default=False)),
                ("dedup_key", models.CharField(blank=True, default="", max_length=200)),
                ("about_kind", models.CharField(blank=True, default="", max_length=30)),
                ("about_id", models.BigIntegerField(null=True)),
                ("not_before", models.DateTimeField(null=True)),
                ("made_at", models.DateTimeField()),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "channel",
                    models.CharField(choices=[("mail", "mail"), ("digest", "mail, digest"), ("webhook", "webhook")], max_length=10),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "waiting"), ("sent", "sent"), ("failed", "failed"), ("dropped", "dropped")],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.SmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField()),
                ("made_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("last_error", models.CharField(blank=True, default="", max_length=500)),
                (
                    "person",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "notification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="notifications.notification"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WebhookSecret",
            fields=[
                (
                    "webhook",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="secret",
                        serialize=False,
                        to="notifications.webhook",
                    ),
                ),
                ("url", models.TextField()),
                ("signing_key", models.CharField(max_length=80)),
            ],
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.UniqueConstraint(condition=models.Q(("retired_at", None)), fields=("name",), name="webhook_name_once"),
        ),
        migrations.AddField(
            model_name="notification",
            name="webhook",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="notifications.webhook"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                models.F("channel"), models.F("next_attempt_at"), condition=models.Q(("state", "waiting")), name="delivery_due"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("channel", "digest"), ("state", "waiting")),
                fields=["person", "next_attempt_at"],
                name="delivery_digest",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["state", "-id"], name="delivery_by_state"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "waiting"), ("ended_at__isnull", False), _connector="OR"), name="delivery_ends_once"
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(condition=models.Q(("person__isnull", False)), fields=["person", "-id"], name="notification_inbox"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("person__isnull", False), ("read_at", None)), fields=["person", "-id"], name="notification_unread"
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("dedup_key", ""), _negated=True), fields=["dedup_key", "made_at"], name="notification_dedup"
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["made_at"], name="notification_made"),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("person__isnull", False), ("webhook", None)),
                    models.Q(("person", None), ("webhook__isnull", False)),
                    _connector="OR",
                ),
                name="notification_to_one",
            ),
        ),
    ]
