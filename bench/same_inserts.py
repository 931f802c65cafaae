"""What pgbench commits with the statements of opening one ticket: the limit that creating over REST stands against.

The statements are recorded from a real `open_ticket`; the ticket's id and number in them are replaced by pgbench's variables.
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from bench.instance import Instance
from pilothouse.platform import embedded


def script(statements: list[str], ticket_id: int, number: str) -> str:
    """Return a pgbench script of these statements for tickets of its own."""
    lines = ["SELECT nextval(pg_get_serial_sequence('tickets_ticket', 'id')) AS tid \\gset", "BEGIN;"]
    for statement in statements:
        text = " ".join(statement.split()).replace(number, "PB:tid")
        text = re.sub(rf"(?<![\w.]){ticket_id}(?![\w.])", " :tid", text)  # a space: pgbench leaves `::` alone
        if text.startswith('INSERT INTO "tickets_ticket"'):
            text = text.replace("(", '("id", ', 1).replace("VALUES (", "VALUES (:tid, ", 1)
        lines.append(f"{text};")
    return "\n".join([*lines, "COMMIT;"]) + "\n"


def commits(instance: Instance, text: str, clients: int, seconds: int) -> float:
    """Return the transactions that pgbench commits in a second."""
    from psycopg.conninfo import conninfo_to_dict

    facts: dict[str, Any] = conninfo_to_dict(instance.url)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(text)
        file.flush()
        Path(file.name).chmod(0o644)
        command = [str(embedded.programs() / "pgbench"), "-n", "-f", file.name, "-c", str(clients), "-j", "2", "-T", str(seconds)]
        done = subprocess.run(
            [*command, "-M", "simple", "-h", facts["host"], "-U", facts["user"], facts["dbname"]],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    found = re.search(r"tps = ([\d.]+) \(without", done.stdout)
    if found is None or "number of failed transactions: 0" not in done.stdout:
        raise RuntimeError(f"pgbench did not run through:\n{done.stdout}\n{done.stderr[:2000]}")
    return float(found[1])
