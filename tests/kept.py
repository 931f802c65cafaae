"""Rows that the tests of a module share: written once, and each test is rolled back to them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.db import transaction


def for_the_module(make: Callable[..., Any], *, each: Sequence[Any] | None = None) -> Callable[..., Iterator[Any]]:
    """Return a fixture that makes the rows for a whole module and takes them back at its end; `each`: once with every one of these.

    It is for modules none of whose tests commits; what `make` returns must not be changed by a test.
    """

    @pytest.fixture(scope="module", params=each)
    def kept(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
        whole = transaction.atomic()
        with django_db_blocker.unblock():
            whole.__enter__()
            made = make() if each is None else make(request.param)
        yield made
        with django_db_blocker.unblock():
            transaction.set_rollback(True)
            whole.__exit__(None, None, None)

    return kept
