from pathlib import Path

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.expressions
from django.db import migrations, models

JOURNAL = Path(__file__).with_name("journal.sql").read_text()


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("platform", "0001_extensions"),
    ]

    operations = [
        migrations.CreateModel(
            name="JournalHead",
            fields=[
                ("pk", models.CompositePrimaryKey("kind", "record_id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("kind", models.TextField()),
                ("record_id", models.BigIntegerField()),
                ("seq", models.IntegerField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "db_table": "journal_head",
            },
        ),
        migrations.CreateModel(
            name="OutboxMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("topic", models.TextField()),
                ("payload", models.JSONField(default=dict)),
                ("written_at", models.DateTimeField()),
            ],
            options={
                "db_table": "outbox",
            },
        ),
        migrations.CreateModel(
            name="RateWindow",
            fields=[
                ("key", models.TextField(primary_key=True, serialize=False)),
                ("window_at", models.DateTimeField()),
                ("count", models.IntegerField()),
            ],
            options={
                "db_table": "rate_window",
            },
        ),
        migrations.CreateModel(
            name="SearchLearnt",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("last_document", models.BigIntegerField(default=0)),
            ],
            options={
                "db_table": "search_learnt",
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("pk", models.CompositePrimaryKey("user_id", "key", blank=True, editable=False, primary_key=True, serialize=False)),
                ("user_id", models.BigIntegerField()),
                ("key", models.TextField()),
                ("fingerprint", models.BinaryField()),
                ("status", models.SmallIntegerField()),
                ("location", models.TextField(default="")),
                ("body", models.BinaryField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "idempotency_key",
                "indexes": [models.Index(fields=["created_at"], name="idempotency_created")],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(JOURNAL, "DROP TABLE journal_entry; DROP FUNCTION journal_refuse, journal_ensure_month")
            ],
            state_operations=[
                migrations.CreateModel(
                    name="JournalEntry",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("kind", models.TextField()),
                        ("record_id", models.BigIntegerField()),
                        ("seq", models.IntegerField()),
                        ("verb", models.TextField()),
                        ("actor_id", models.BigIntegerField(null=True)),
                        ("happened_at", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField()),
                        ("changes", models.JSONField(default=list)),
                        ("note", models.TextField(default="")),
                        ("private", models.BooleanField(default=False)),
                        ("source", models.TextField()),
                        ("request_id", models.TextField(default="")),
                        ("previous", models.BinaryField()),
                        ("hash", models.BinaryField()),
                    ],
                    options={
                        "db_table": "journal_entry",
                        "indexes": [models.Index(fields=["kind", "record_id", "seq"], name="journal_record")],
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name="SearchDocument",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.TextField()),
                ("record_id", models.BigIntegerField()),
                ("seq", models.IntegerField(default=0)),
                ("private", models.BooleanField(default=False)),
                ("title", models.TextField(default="")),
                ("body", models.TextField(default="")),
                (
                    "vector",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.expressions.RawSQL(
                            "setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', left(body, 100000)), 'B')",
                            (),
                        ),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
            ],
            options={
                "db_table": "search_document",
                "indexes": [django.contrib.postgres.indexes.GinIndex(fields=["vector"], name="search_document_vector")],
                "constraints": [models.UniqueConstraint(fields=("kind", "record_id", "seq"), name="search_document_one")],
            },
        ),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                ("word", models.TextField(primary_key=True, serialize=False)),
                ("documents", models.BigIntegerField(default=0)),
            ],
            options={
                "db_table": "search_word",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["word"], name="search_word_trigrams", opclasses=["gin_trgm_ops"])
                ],
            },
        ),
    ]
