from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    """Trigrams for search by mistyped words and parts of names."""

    initial = True
    operations = [TrigramExtension()]
