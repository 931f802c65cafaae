"""The ground's tables: the journal and its heads, the outbox, search documents, idempotency keys, rate windows."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class JournalEntry(models.Model):
    """One thing that happened to one record; append-only, partitioned by month of `recorded_at`, chained per record.

    The database refuses UPDATE, DELETE and TRUNCATE. Made by SQL in migration 0002: Django sees `id` as the key, the
    table's own key is (id, recorded_at).
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.TextField()
    record_id = models.BigIntegerField()
    seq = models.IntegerField()
    verb = models.TextField()
    actor_id = models.BigIntegerField(null=True)
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    changes = models.JSONField(default=list)
    note = models.TextField(default="")
    private = models.BooleanField(default=False)
    source = models.TextField()
    request_id = models.TextField(default="")
    previous = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        db_table = "journal_entry"
        indexes = [
            models.Index(fields=["kind", "record_id", "seq"], name="journal_record"),
        ]


class JournalHead(models.Model):
    """The last link of each record's chain; its row lock puts writers of one record in a line."""

    pk = models.CompositePrimaryKey("kind", "record_id")
    kind = models.TextField()
    record_id = models.BigIntegerField()
    seq = models.IntegerField()
    hash = models.BinaryField()

    class Meta:
        db_table = "journal_head"


class OutboxMessage(models.Model):
    """Work that a journal entry calls for, written in the entry's transaction and turned into a job by the relay."""

    topic = models.TextField()
    payload = models.JSONField(default=dict)
    written_at = models.DateTimeField()

    class Meta:
        db_table = "outbox"


class SearchDocument(models.Model):
    """What search finds: a record's own text (`seq` 0) or one comment on it (`seq` of its journal entry).

    A projection of the journal; `vector` is computed by the database from title (weight A) and body (B).
    """

    kind = models.TextField()
    record_id = models.BigIntegerField()
    seq = models.IntegerField(default=0)
    private = models.BooleanField(default=False)
    title = models.TextField(default="")
    body = models.TextField(default="")
    vector = models.GeneratedField(
        expression=models.expressions.RawSQL(
            "setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', left(body, 100000)), 'B')", ()
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        db_table = "search_document"
        constraints = [models.UniqueConstraint(fields=["kind", "record_id", "seq"], name="search_document_one")]
        indexes = [GinIndex(fields=["vector"], name="search_document_vector")]


class SearchWord(models.Model):
    """The words that occur in documents: a mistyped word is mended against them by trigrams."""

    word = models.TextField(primary_key=True)
    documents = models.BigIntegerField(default=0)

    class Meta:
        db_table = "search_word"
        indexes = [GinIndex(fields=["word"], name="search_word_trigrams", opclasses=["gin_trgm_ops"])]


class SearchLearnt(models.Model):
    """Up to which document the words have been learnt (one row)."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    last_document = models.BigIntegerField(default=0)

    class Meta:
        db_table = "search_learnt"


class IdempotencyKey(models.Model):
    """A POST that was answered: the same key with the same body gets the same answer, with another body a refusal."""

    pk = models.CompositePrimaryKey("user_id", "key")
    user_id = models.BigIntegerField()
    key = models.TextField()
    fingerprint = models.BinaryField()
    status = models.SmallIntegerField()
    location = models.TextField(default="")
    body = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "idempotency_key"
        indexes = [models.Index(fields=["created_at"], name="idempotency_created")]


class RateWindow(models.Model):
    """Requests counted in a window of time for one key (a token, an address, a sign-in name)."""

    key = models.TextField(primary_key=True)
    window_at = models.DateTimeField()
    count = models.IntegerField()

    class Meta:
        db_table = "rate_window"
