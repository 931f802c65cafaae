"""Which tests run in one process: those that share something which takes long to make, so that it is made once.

`--dist loadgroup` of pytest-xdist 3.8 writes the group into the test's id, which pytest 9.2 does not read: every group was ignored,
silently. So each process notes the groups beside the session's database, and the scheduler looks there. The hooks are in tests/conftest.py.
"""

import json
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_CHEAP = ("tests.conftest", "tests.kept")


def _file() -> Path:
    return Path(os.environ["PILOTHOUSE_TEST_FOLDER"]) / "groups.json"


def group_of(item: pytest.Item) -> str:
    """Name the group of a test, or nothing: what its mark says, or what it shares (a served site, a running instance, mined rows)."""
    if mark := item.get_closest_marker("xdist_group"):
        return str(mark.args[0])
    found = getattr(item, "_fixtureinfo", None)
    for name, definitions in sorted(found.name2fixturedefs.items()) if found else ():
        made = definitions[-1]
        module = made.func.__module__
        if made.scope != "function" and name != "chromium" and module.startswith("tests.") and module not in _CHEAP:
            return f"{item.path.parent.name}/{module.removeprefix('tests.')}"
    return ""


def note(items: list[pytest.Item]) -> None:
    """Write down every test's group; each process writes the same, and all of it or nothing."""
    draft = _file().with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps({item.nodeid: group for item in items if (group := group_of(item))}))
    draft.replace(_file())


class Groups(LoadScopeScheduling):
    """Sends a group as a whole, the one with the most tests first, and every other test by itself."""

    @cached_property
    def _noted(self) -> Mapping[str, Any]:
        return dict(json.loads(_file().read_text()))

    def _split_scope(self, nodeid: str) -> str:
        return str(self._noted.get(nodeid, nodeid))

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        """Forget a group that is done: after each test all that a process was ever given is counted through."""
        super().mark_test_complete(node, item_index, duration)
        name, given = self._split_scope(self.registered_collections[node][item_index]), self.assigned_work[node]
        if all(given[name].values()):
            del given[name]
