"""Any other source: what its columns mean stands in a mapping file (docs/howto/import.md), which `--suggest` drafts."""

from pilothouse.connectors.engine.mapping import Mapping
from pilothouse.connectors.engine.profiles import Profile

EMPTY = Mapping(system="", key=(), columns={}, required=("state", "opened_at"), defaults={"kind": "incident", "channel": "other"})

GENERIC = Profile(
    "generic", "Other, with a mapping file", "Any table with one row a ticket, or one row an update, and a mapping file.", (EMPTY,)
)
