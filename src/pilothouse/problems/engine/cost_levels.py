"""A problem's impact and urgency by what it costs a week; pure."""

# Handling hours a week (tickets a week, where no effort is recorded) from which on, impact, urgency (1 high to 3 low). A full person's
# week is 40 hours.
LEVELS: tuple[tuple[float, int, int], ...] = ((40, 1, 1), (16, 1, 2), (4, 2, 2), (1, 2, 3), (0, 3, 3))


def levels(weekly: float) -> tuple[int, int]:
    """Return impact and urgency for what it costs a week: from 40 on 1 and 1, from 16 on 1 and 2, from 4 on 2 and 2, from 1 on 2 and 3.

    >>> levels(16), levels(0.5)
    ((1, 2), (3, 3))
    """
    return next(((impact, urgency) for least, impact, urgency in LEVELS if weekly >= least), (3, 3))


def weekly_hours_of(found: dict[str, object] | None) -> float | None:
    """Return the handling hours a week that a finding's cost speaks of: those expected of the next quarter, else None."""
    return _weekly(found, "expected_hours")


def weekly_tickets_of(found: dict[str, object] | None) -> float | None:
    """Return the tickets a week that a finding expects of the next quarter, else None.

    >>> weekly_tickets_of({"cost": {"expected": 52.0, "expected_hours": None}})
    4.0
    """
    return _weekly(found, "expected")


def _weekly(found: dict[str, object] | None, name: str) -> float | None:
    cost = (found or {}).get("cost")
    value = cost.get(name) if isinstance(cost, dict) else None
    return round(float(value) / 13, 1) if isinstance(value, int | float) else None
