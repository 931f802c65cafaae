"""Keyset paging for lists that are sorted by a few columns of the row, in one direction.

A cursor names the edge of a page by its row's sort values, so that page 1,000 costs what page 1 costs and rows that come
and go in between neither repeat nor hide others.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page of rows in their order; `before` and `after` are the cursors of its neighbours, or empty."""

    rows: list[M]
    before: str = ""
    after: str = ""


def page(rows: "QuerySet[M]", cursor: str, *, keys: Sequence[str], descending: bool = False, size: int = 50) -> Page[M]:
    """Return the page that a cursor names (the first when it is empty or not one of ours).

    `keys` are the columns of the order, the last one unique; all run the same way.
    """
    backward, edge = _read(cursor, len(keys))
    try:
        beyond = rows if edge is None else rows.filter(_beyond(keys, edge, upward=backward == descending))
    except (ValueError, TypeError, ValidationError):  # a cursor somebody wrote by hand, with values that are no values of these columns
        return Page([])
    sign = "-" if descending != backward else ""
    found = list(beyond.order_by(*(sign + key for key in keys))[: size + 1])
    more, found = len(found) > size, found[:size]
    if backward:
        found.reverse()
    earlier, later = (more, edge is not None) if backward else (edge is not None, more)
    return Page(found, _write(found[:1], keys, "b") if earlier else "", _write(found[-1:], keys, "a") if later else "")


def _beyond(keys: Sequence[str], edge: Sequence[Any], *, upward: bool) -> Q:
    """Rows after the edge in the given direction, as a comparison of tuples: (a, b) > (x, y)."""
    sign = "gt" if upward else "lt"
    found = Q()
    for at, key in enumerate(keys):
        same = Q(**dict(zip(keys[:at], edge[:at], strict=True)))
        found |= same & Q(**{f"{key}__{sign}": edge[at]})
    return found


def _write(rows: Sequence[Any], keys: Sequence[str], way: str) -> str:
    if not rows:
        return ""
    edge = [getattr(rows[0], key) for key in keys]
    return way + base64.urlsafe_b64encode(orjson.dumps(edge)).decode().rstrip("=")


def _read(cursor: str, length: int) -> tuple[bool, list[Any] | None]:
    try:
        edge = orjson.loads(base64.urlsafe_b64decode(cursor[1:] + "=" * (-len(cursor[1:]) % 4)))
    except (ValueError, binascii.Error):
        return False, None
    plain = isinstance(edge, list) and len(edge) == length and all(isinstance(each, str | int) for each in edge)
    good = cursor[:1] in ("a", "b") and plain and not any("\x00" in each for each in edge if isinstance(each, str))
    return (cursor[0] == "b", edge) if good else (False, None)
