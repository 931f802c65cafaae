from django.conf import settings
from django.db import migrations, models

FORWARD = "CREATE SEQUENCE ticket_task_number; CREATE SEQUENCE ticket_problem_number; CREATE SEQUENCE ticket_change_number"
BACKWARD = "DROP SEQUENCE ticket_task_number; DROP SEQUENCE ticket_problem_number; DROP SEQUENCE ticket_change_number"


class Migration(migrations.Migration):
    """Tasks, problems and changes are tickets too, with states and numbers of their own."""

    dependencies = [
        ("cmdb", "0001_tables"),
        ("people", "0001_tables"),
        ("tickets", "0003_reading_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RemoveConstraint(
            model_name="ticket",
            name="ticket_state",
        ),
        migrations.RemoveIndex(
            model_name="ticket",
            name="ticket_open_priority",
        ),
        migrations.RemoveIndex(
            model_name="ticket",
            name="ticket_open_group",
        ),
        migrations.RemoveIndex(
            model_name="ticket",
            name="ticket_open_assignee",
        ),
        migrations.AlterField(
            model_name="ticket",
            name="kind",
            field=models.CharField(
                choices=[
                    ("incident", "Incident"),
                    ("request", "Service request"),
                    ("task", "Task"),
                    ("problem", "Problem"),
                    ("change", "Change"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="ticket",
            name="state",
            field=models.CharField(
                choices=[
                    ("new", "New"),
                    ("assessed", "Assessed"),
                    ("assigned", "Assigned"),
                    ("scheduled", "Scheduled"),
                    ("in_progress", "In progress"),
                    ("analysis", "Root-cause analysis"),
                    ("fixing", "Fix in progress"),
                    ("on_hold", "On hold"),
                    ("resolved", "Resolved"),
                    ("closed", "Closed"),
                    ("cancelled", "Cancelled"),
                ],
                default="new",
                max_length=12,
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(
                    ("state__in", ("new", "assessed", "assigned", "scheduled", "in_progress", "analysis", "fixing", "on_hold"))
                ),
                fields=["priority", "-opened_at", "-id"],
                name="ticket_open_priority",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(
                    ("state__in", ("new", "assessed", "assigned", "scheduled", "in_progress", "analysis", "fixing", "on_hold"))
                ),
                fields=["group", "priority", "-opened_at"],
                name="ticket_open_group",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(
                    ("state__in", ("new", "assessed", "assigned", "scheduled", "in_progress", "analysis", "fixing", "on_hold"))
                ),
                fields=["assignee", "priority"],
                name="ticket_open_assignee",
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "new",
                            "assessed",
                            "assigned",
                            "scheduled",
                            "in_progress",
                            "analysis",
                            "fixing",
                            "on_hold",
                            "resolved",
                            "closed",
                            "cancelled",
                        ],
                    )
                ),
                name="ticket_state",
            ),
        ),
    ]
