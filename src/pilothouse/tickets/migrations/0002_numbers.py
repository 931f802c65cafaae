from django.db import migrations

FORWARD = "CREATE SEQUENCE ticket_incident_number; CREATE SEQUENCE ticket_request_number"
BACKWARD = "DROP SEQUENCE ticket_incident_number; DROP SEQUENCE ticket_request_number"


class Migration(migrations.Migration):
    """Numbers come from sequences: unique and in order, not free of gaps."""

    dependencies = [("tickets", "0001_tables")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
