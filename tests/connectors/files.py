"""Small files in the shapes of the real ones; every value is made up."""

import csv
import gzip
import io
from pathlib import Path

LOG_HEADER = [
    "number",
    "incident_state",
    "active",
    "reassignment_count",
    "reopen_count",
    "sys_mod_count",
    "made_sla",
    "caller_id",
    "opened_by",
    "opened_at",
    "sys_created_by",
    "sys_created_at",
    "sys_updated_by",
    "sys_updated_at",
    "contact_type",
    "location",
    "category",
    "subcategory",
    "u_symptom",
    "cmdb_ci",
    "impact",
    "urgency",
    "priority",
    "assignment_group",
    "assigned_to",
    "knowledge",
    "u_priority_confirmation",
    "notify",
    "problem_id",
    "rfc",
    "vendor",
    "caused_by",
    "closed_code",
    "resolved_by",
    "resolved_at",
    "closed_at",
]
_EMPTY = dict.fromkeys(LOG_HEADER, "?")
_ALWAYS = {
    **_EMPTY,
    "number": "INC0000501",
    "incident_state": "New",
    "active": "true",
    "sys_mod_count": "0",
    "made_sla": "true",
    "caller_id": "Caller 1",
    "opened_by": "Opened by 2",
    "opened_at": "4/3/2024 08:00",
    "sys_updated_by": "Updated by 3",
    "sys_updated_at": "4/3/2024 08:05",
    "contact_type": "Phone",
    "category": "Category 7",
    "subcategory": "Subcategory 8",
    "impact": "2 - Medium",
    "urgency": "2 - Medium",
    "priority": "3 - Moderate",
    "closed_code": "code 6",
    "resolved_by": "Resolved by 9",
    "resolved_at": "5/3/2024 10:00",
    "closed_at": "10/3/2024 12:00",
}


def log_row(**changed: str) -> dict[str, str]:
    """One row of an update log."""
    return {**_ALWAYS, **changed}


def a_life(number: str = "INC0000501") -> list[dict[str, str]]:
    """An incident that was assigned, moved, held, resolved and closed."""
    return [
        log_row(number=number),
        log_row(number=number, sys_mod_count="1", sys_updated_at="4/3/2024 08:30", incident_state="Active", assignment_group="Group 1"),
        log_row(
            number=number,
            sys_mod_count="2",
            sys_updated_at="4/3/2024 09:00",
            incident_state="Awaiting Vendor",
            assignment_group="Group 2",
            assigned_to="Resolver 4",
            priority="2 - High",
            impact="1 - High",
        ),
        log_row(
            number=number,
            sys_mod_count="4",
            sys_updated_at="5/3/2024 10:00",
            incident_state="Resolved",
            assignment_group="Group 1",
            assigned_to="Resolver 5",
            priority="2 - High",
            impact="1 - High",
        ),
        log_row(
            number=number,
            sys_mod_count="5",
            sys_updated_at="10/3/2024 12:00",
            incident_state="Closed",
            active="false",
            assignment_group="Group 1",
            assigned_to="Resolver 5",
            priority="2 - High",
            impact="1 - High",
            sys_updated_by="Updated by 6",
        ),
    ]


def write_log(path: Path, rows: list[dict[str, str]], *, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    """Write rows as CSV, packed when the name ends so."""
    text = io.StringIO(newline="")
    header = list(rows[0]) if rows else LOG_HEADER
    writer = csv.DictWriter(text, header, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    data = text.getvalue().encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path
