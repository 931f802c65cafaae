"""The test session's own database: real PostgreSQL, migrated, one for each worker of pytest-xdist."""

import os

import pytest
from django.db import connection


@pytest.mark.django_db
def test_each_worker_has_its_own_migrated_database() -> None:
    assert connection.settings_dict["NAME"] == "test_pilothouse" + (f"_{w}" if (w := os.environ.get("PYTEST_XDIST_WORKER")) else "")
    assert "journal_entry" in connection.introspection.table_names()
