import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cmdb", "0001_tables"),
        ("tickets", "0004_kinds"),
    ]

    operations = [
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "ticket",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="change",
                        serialize=False,
                        to="tickets.ticket",
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[("standard", "Standard"), ("normal", "Normal"), ("emergency", "Emergency")],
                        default="normal",
                        max_length=12,
                    ),
                ),
                (
                    "risk",
                    models.CharField(
                        blank=True,
                        choices=[("", ""), ("low", "Low"), ("moderate", "Moderate"), ("high", "High")],
                        default="",
                        max_length=12,
                    ),
                ),
                ("reason", models.TextField(blank=True, default="")),
                ("implementation_plan", models.TextField(blank=True, default="")),
                ("rollback_plan", models.TextField(blank=True, default="")),
                ("planned_start_at", models.DateTimeField(null=True)),
                ("planned_end_at", models.DateTimeField(null=True)),
                ("actual_start_at", models.DateTimeField(null=True)),
                ("actual_end_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", ""),
                            ("successful", "Successful"),
                            ("with_issues", "Successful with issues"),
                            ("backed_out", "Backed out"),
                            ("failed", "Failed"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("actual_end_at__isnull", False)), fields=["actual_end_at", "ticket"], name="change_ended"
                    ),
                    models.Index(
                        condition=models.Q(("planned_start_at__isnull", False)),
                        fields=["planned_start_at", "ticket"],
                        name="change_planned",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("planned_end_at__gte", models.F("planned_start_at"))), name="change_planned_forwards"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("actual_end_at__gte", models.F("actual_start_at"))), name="change_carried_out_forwards"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AffectedCI",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ci", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="cmdb.ci")),
                ("change", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="affected", to="changes.change")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("change", "ci"), name="change_touches_once")],
            },
        ),
    ]
