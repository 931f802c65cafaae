"""The whole suite's ground. The test session's database is made by the plugin pilothouse.platform.testing.cluster (see pyproject.toml)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from pilothouse.people.testing import NamedPeople, make_people
from pilothouse.platform import embedded
from pilothouse.platform.testing.cluster import address, cache, migrated, once
from tests import groups, trees


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note which tests belong together, in each of xdist's processes."""
    if hasattr(config, "workerinput"):
        groups.note(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> groups.Groups | None:
    """Let tests that belong together run in one process."""
    return groups.Groups(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Let pytest-django copy the session's migrated database instead of migrating one for each process."""
    connections["default"].settings_dict["TEST"]["TEMPLATE"] = migrated()


@pytest.fixture(scope="session")
def ready_cluster() -> Path:
    """A ready, empty cluster to be copied: starting from it takes a fraction of the time."""
    return embedded.template(cache())


@pytest.fixture(scope="session")
def seed(ready_cluster: Path) -> Path:
    """A migrated instance with people and their tokens, to be copied; one for all processes of the session."""
    return once("seed", lambda folder: trees.make_seed(folder, ready_cluster, address(migrated())))


@pytest.fixture
def instance(seed: Path) -> Iterator[trees.Instance]:
    """An instance of its own, migrated and with people; whatever a test starts on it is stopped."""
    with trees.throw_away_folder() as folder:
        made = trees.Instance(folder, seed)
        yield made
        made.stop()


@pytest.fixture(scope="session")
def desk(seed: Path) -> Iterator[trees.Instance]:
    """A running instance that the tests of the command line share (their xdist group is `cli`); each leaves it usable."""
    with trees.throw_away_folder() as folder:
        made = trees.Instance(folder, seed)
        made.up()
        yield made
        made.stop()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A throw-away folder in which an instance can be made."""
    with trees.throw_away_folder() as path:
        yield path


@pytest.fixture
def people(db: None) -> NamedPeople:
    """The named people: rita, alan, olga, ana, mona, audrey, adam."""
    return make_people()
