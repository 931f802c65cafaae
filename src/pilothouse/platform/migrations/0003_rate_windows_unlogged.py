from django.db import migrations


class Migration(migrations.Migration):
    """Rate windows live for a minute: a crash may empty them, and counting then waits for no disk."""

    dependencies = [
        ("platform", "0002_tables"),
    ]

    operations = [
        migrations.RunSQL("ALTER TABLE rate_window SET UNLOGGED", "ALTER TABLE rate_window SET LOGGED"),
    ]
