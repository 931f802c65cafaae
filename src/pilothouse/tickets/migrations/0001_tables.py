import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("platform", "0001_extensions"),
        ("cmdb", "0001_tables"),
        ("people", "0001_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Ticket",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("incident", "Incident"), ("request", "Service request")], max_length=12)),
                ("number", models.CharField(max_length=40, unique=True)),
                ("title", models.CharField(max_length=250)),
                ("description", models.TextField(blank=True, default="")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("assigned", "Assigned"),
                            ("in_progress", "In progress"),
                            ("on_hold", "On hold"),
                            ("resolved", "Resolved"),
                            ("closed", "Closed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="new",
                        max_length=12,
                    ),
                ),
                (
                    "hold_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("caller", "Waiting for the caller"),
                            ("vendor", "Waiting for a vendor"),
                            ("change", "Waiting for a change"),
                            ("problem", "Waiting for a problem"),
                            ("other", "Other"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                ("hold_until", models.DateTimeField(blank=True, null=True)),
                ("impact", models.SmallIntegerField(default=3)),
                ("urgency", models.SmallIntegerField(default=3)),
                ("priority", models.SmallIntegerField(default=5)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("phone", "Phone"),
                            ("email", "E-mail"),
                            ("portal", "Portal"),
                            ("chat", "Chat"),
                            ("monitoring", "Monitoring"),
                            ("walk_in", "Walk-in"),
                            ("other", "Other"),
                        ],
                        default="other",
                        max_length=12,
                    ),
                ),
                ("category", models.CharField(blank=True, default="", max_length=80)),
                ("subcategory", models.CharField(blank=True, default="", max_length=80)),
                (
                    "resolution_code",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("solved", "Solved"),
                            ("workaround", "Solved by a workaround"),
                            ("caller", "Solved by the caller"),
                            ("not_reproducible", "Could not be reproduced"),
                            ("no_fault", "Works as designed"),
                            ("duplicate", "Duplicate"),
                            ("fulfilled", "Request fulfilled"),
                            ("rejected", "Request rejected"),
                            ("other", "Other"),
                        ],
                        default="",
                        max_length=40,
                    ),
                ),
                ("resolution_notes", models.TextField(blank=True, default="")),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), blank=True, default=list, size=None
                    ),
                ),
                (
                    "watchers",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None),
                ),
                ("extra", models.JSONField(blank=True, default=dict)),
                ("opened_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("version", models.IntegerField(default=1)),
                ("external_system", models.CharField(blank=True, default="", max_length=40)),
                ("external_id", models.CharField(blank=True, default="", max_length=80)),
                (
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assigned",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "ci",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="tickets", to="cmdb.ci"
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="people.team",
                    ),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="duplicates",
                        to="tickets.ticket",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="opened",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="tickets.ticket",
                    ),
                ),
                (
                    "requester",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requested",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="tickets", to="cmdb.service"
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="PriorityRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("impact", models.SmallIntegerField()),
                ("urgency", models.SmallIntegerField()),
                ("priority", models.SmallIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("impact", "urgency"), name="priority_cell_once"),
                    models.CheckConstraint(condition=models.Q(("priority__range", (1, 5))), name="priority_cell_1_to_5"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Link",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("relation", models.CharField(max_length=30)),
                ("url", models.URLField(blank=True, default="", max_length=500)),
                ("label", models.CharField(blank=True, default="", max_length=200)),
                (
                    "target",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="linked_from", to="tickets.ticket"
                    ),
                ),
                ("ticket", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="links", to="tickets.ticket")),
            ],
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.BigIntegerField()),
                ("content_type", models.CharField(max_length=100)),
                ("private", models.BooleanField(default=False)),
                ("added_at", models.DateTimeField()),
                (
                    "added_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("ticket", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="attachments", to="tickets.ticket")),
            ],
        ),
        migrations.CreateModel(
            name="Category",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subcategories",
                        to="tickets.category",
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"), condition=models.Q(("parent__isnull", True)), name="category_once"
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"),
                        models.F("parent"),
                        condition=models.Q(("parent__isnull", False)),
                        name="subcategory_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("query", models.CharField(max_length=1000)),
                (
                    "columns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), blank=True, default=list, size=None
                    ),
                ),
                ("position", models.SmallIntegerField(default=100)),
                ("version", models.IntegerField(default=1)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="views", to="people.team"
                    ),
                ),
            ],
            options={
                "ordering": ("position", "id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("owner__isnull", True), ("team__isnull", True), _connector="OR"), name="view_owner_or_team"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TicketStory",
            fields=[
                (
                    "ticket",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="story",
                        serialize=False,
                        to="tickets.ticket",
                    ),
                ),
                ("reassignment_count", models.IntegerField(default=0)),
                ("bounce_count", models.IntegerField(default=0)),
                ("reopen_count", models.IntegerField(default=0)),
                ("hold_seconds", models.BigIntegerField(default=0)),
                ("hold_started_at", models.DateTimeField(null=True)),
                ("first_owned_at", models.DateTimeField(null=True)),
                ("first_reply_at", models.DateTimeField(null=True)),
                ("last_entry_at", models.DateTimeField(null=True)),
                ("comment_count", models.IntegerField(default=0)),
                ("requester", models.BigIntegerField(null=True)),
                ("group", models.BigIntegerField(null=True)),
                ("left", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ("state", models.CharField(default="new", max_length=12)),
            ],
            options={
                "db_table": "tickets_story",
                "indexes": [
                    models.Index(condition=models.Q(("bounce_count__gt", 0)), fields=["bounce_count"], name="story_bounced"),
                    models.Index(condition=models.Q(("reopen_count__gt", 0)), fields=["reopen_count"], name="story_reopened"),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("state__in", ("new", "assigned", "in_progress", "on_hold"))),
                fields=["priority", "-opened_at", "-id"],
                name="ticket_open_priority",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("state__in", ("new", "assigned", "in_progress", "on_hold"))),
                fields=["group", "priority", "-opened_at"],
                name="ticket_open_group",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("state__in", ("new", "assigned", "in_progress", "on_hold"))),
                fields=["assignee", "priority"],
                name="ticket_open_assignee",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(condition=models.Q(("state", "resolved")), fields=["resolved_at"], name="ticket_resolved"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["-updated_at", "-id"], name="ticket_updated"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["-opened_at", "-id"], name="ticket_opened"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(condition=models.Q(("parent__isnull", False)), fields=["parent"], name="ticket_parent"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(condition=models.Q(("merged_into__isnull", False)), fields=["merged_into"], name="ticket_merged"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["group", "-updated_at"], name="ticket_group_updated"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["assignee", "-updated_at"], name="ticket_assignee_updated"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="ticket_tags"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=django.contrib.postgres.indexes.GinIndex(fields=["watchers"], name="ticket_watchers"),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("external_system", "external_id"),
                name="ticket_external_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(condition=models.Q(("priority__range", (1, 5))), name="ticket_priority_1_to_5"),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(("impact__range", (1, 3)), ("urgency__range", (1, 3))), name="ticket_impact_urgency_1_to_3"
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["new", "assigned", "in_progress", "on_hold", "resolved", "closed", "cancelled"])),
                name="ticket_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.UniqueConstraint(
                condition=models.Q(("target__isnull", False)), fields=("ticket", "relation", "target"), name="link_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("target__isnull", False), ("url", "")),
                    models.Q(("target__isnull", True), models.Q(("url", ""), _negated=True)),
                    _connector="OR",
                ),
                name="link_one_end",
            ),
        ),
    ]
