import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tickets", "0004_kinds"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MiningRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("since", models.DateTimeField(null=True)),
                ("stage", models.CharField(blank=True, default="", max_length=12)),
                ("ticket_count", models.IntegerField(default=0)),
                ("family_count", models.IntegerField(default=0)),
                ("group_count", models.IntegerField(default=0)),
                ("seconds", models.FloatField(null=True)),
                ("remarks", models.JSONField(default=list)),
                ("imbalances", models.JSONField(default=list)),
                ("error", models.TextField(blank=True, default="")),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="Candidate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("dismissed", "Dismissed"), ("taken", "Made a problem"), ("gone", "No longer found")],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("rank", models.IntegerField()),
                ("title", models.CharField(max_length=250)),
                ("found", models.JSONField()),
                ("ticket_count", models.IntegerField()),
                ("weekly_hours", models.FloatField(null=True)),
                ("first_found_at", models.DateTimeField()),
                ("last_found_at", models.DateTimeField()),
                ("raised_after", models.IntegerField(null=True)),
                ("raised_at", models.DateTimeField(null=True)),
                ("dismissed_at", models.DateTimeField(null=True)),
                ("dismissed_because", models.TextField(blank=True, default="")),
                ("dismissed_found", models.JSONField(null=True)),
                ("returned_at", models.DateTimeField(null=True)),
                ("returned_because", models.CharField(blank=True, default="", max_length=250)),
                (
                    "dismissed_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "problem",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="candidates", to="tickets.ticket"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="candidates", to="problems.miningrun"
                    ),
                ),
            ],
            options={
                "ordering": ("rank", "id"),
            },
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("found", models.JSONField()),
                ("ticket_ids", models.JSONField(default=list)),
                ("sha256", models.CharField(max_length=64)),
                ("problem", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="evidence", to="tickets.ticket")),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="Signature",
            fields=[
                (
                    "problem",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="signature",
                        serialize=False,
                        to="tickets.ticket",
                    ),
                ),
                ("learnt", models.JSONField()),
                ("incidents", models.IntegerField()),
                ("learnt_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Proof",
            fields=[
                (
                    "problem",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="proof",
                        serialize=False,
                        to="tickets.ticket",
                    ),
                ),
                ("fixed_at", models.DateTimeField()),
                ("verdict", models.CharField(max_length=12)),
                ("told", models.JSONField()),
                ("hours_saved_weekly", models.FloatField(null=True)),
                ("judged_at", models.DateTimeField()),
                (
                    "change",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="tickets.ticket"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Problem",
            fields=[
                (
                    "ticket",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="problem",
                        serialize=False,
                        to="tickets.ticket",
                    ),
                ),
                ("cause", models.TextField(blank=True, default="")),
                ("whys", models.JSONField(default=list)),
                ("workaround", models.TextField(blank=True, default="")),
                ("known_error_at", models.DateTimeField(null=True)),
                ("promised_on", models.DateField(null=True)),
                ("weekly_hours", models.FloatField(null=True)),
                ("no_fix_reason", models.TextField(blank=True, default="")),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("known_error_at__isnull", False)), fields=["known_error_at"], name="problem_known_error"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CandidateTicket",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "candidate",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="members", to="problems.candidate"),
                ),
                ("ticket", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tickets.ticket")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("candidate", "ticket"), name="candidate_ticket_once")],
            },
        ),
        migrations.CreateModel(
            name="TicketWatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("state", models.BinaryField(default=bytes)),
                ("last_ticket_id", models.BigIntegerField(default=0)),
                ("joined", models.JSONField(default=dict)),
                ("atlas", models.BinaryField(default=bytes)),
                ("atlas_run", models.BigIntegerField(default=0)),
                ("grouped_by", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Match",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("proposed", "Proposed"), ("linked", "Linked"), ("declined", "Declined")],
                        default="proposed",
                        max_length=12,
                    ),
                ),
                ("score", models.FloatField()),
                ("reason", models.CharField(max_length=400)),
                ("found_at", models.DateTimeField()),
                ("problem", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="matched", to="tickets.ticket")),
                (
                    "ticket",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="problem_matches", to="tickets.ticket"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["problem", "state"], name="match_by_problem")],
                "constraints": [models.UniqueConstraint(fields=("ticket", "problem"), name="match_once")],
            },
        ),
        migrations.AddIndex(
            model_name="candidate",
            index=models.Index(fields=["state", "rank"], name="candidate_by_rank"),
        ),
    ]
