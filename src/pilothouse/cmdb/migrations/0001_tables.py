import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("platform", "0001_extensions"),
        ("people", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Service",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=160, unique=True)),
                ("key", models.SlugField(max_length=80, unique=True)),
                ("description", models.TextField(blank=True, default="")),
                ("criticality", models.SmallIntegerField(choices=[(1, "vital"), (2, "high"), (3, "medium"), (4, "low")], default=3)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("planned", "planned"),
                            ("in_use", "in use"),
                            ("maintenance", "maintenance"),
                            ("retired", "retired"),
                            ("unknown", "unknown"),
                        ],
                        default="in_use",
                        max_length=20,
                    ),
                ),
                ("request_form", models.JSONField(blank=True, default=list)),
                ("is_offered", models.BooleanField(default=True)),
                ("version", models.IntegerField(default=1)),
                (
                    "owner_team",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="services", to="people.team"
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="CI",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                (
                    "ci_class",
                    models.CharField(
                        choices=[
                            ("application", "application"),
                            ("server", "server"),
                            ("virtual_machine", "virtual machine"),
                            ("database", "database"),
                            ("network", "network"),
                            ("storage", "storage"),
                            ("workstation", "workstation"),
                            ("printer", "printer"),
                            ("mobile", "mobile"),
                            ("software", "software"),
                            ("other", "other"),
                        ],
                        default="other",
                        max_length=40,
                    ),
                ),
                ("attributes", models.JSONField(blank=True, default=dict)),
                ("criticality", models.SmallIntegerField(choices=[(1, "vital"), (2, "high"), (3, "medium"), (4, "low")], default=3)),
                (
                    "environment",
                    models.CharField(
                        choices=[
                            ("production", "production"),
                            ("acceptance", "acceptance"),
                            ("test", "test"),
                            ("development", "development"),
                        ],
                        default="production",
                        max_length=20,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("planned", "planned"),
                            ("in_use", "in use"),
                            ("maintenance", "maintenance"),
                            ("retired", "retired"),
                            ("unknown", "unknown"),
                        ],
                        default="in_use",
                        max_length=20,
                    ),
                ),
                ("version", models.IntegerField(default=1)),
                (
                    "owner_team",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="cis", to="people.team"
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="cis", to="cmdb.service"
                    ),
                ),
            ],
            options={
                "ordering": ("name", "id"),
            },
        ),
        migrations.CreateModel(
            name="Relationship",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "relation",
                    models.CharField(
                        choices=[
                            ("depends_on", "depends on"),
                            ("runs_on", "runs on"),
                            ("connects_to", "connects to"),
                            ("stores_on", "stores on"),
                            ("member_of", "member of"),
                            ("uses", "uses"),
                        ],
                        max_length=30,
                    ),
                ),
                ("source", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="downward", to="cmdb.ci")),
                ("target", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="upward", to="cmdb.ci")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("source", "relation", "target"), name="relationship_once"),
                    models.CheckConstraint(
                        condition=models.Q(("source", models.F("target")), _negated=True), name="relationship_not_itself"
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="ci",
            index=models.Index(fields=["name", "id"], name="ci_name"),
        ),
        migrations.AddIndex(
            model_name="ci",
            index=django.contrib.postgres.indexes.GinIndex(fields=["name"], name="ci_name_trigrams", opclasses=["gin_trgm_ops"]),
        ),
    ]
