"""Which candidate of a new look is which of before: by the tickets that they share; pure.

Two are the same when they share at least half of the smaller one's tickets: a trouble grows, and old tickets leave the span that is
looked at. Of several that might be, those that share most for their size belong together; the choice is stable: no two that are not
matched share more with each other than each does with its own. The same input gives the same answer, in whatever order it comes.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

LEAST_SHARED = 0.5  # of the smaller


def same_as(before: Mapping[int, Collection[int]], now: Sequence[Collection[int]]) -> list[int | None]:
    """Return, for each candidate found now (as tickets' ids), the key of the one before that it is, or None for a new one.

    >>> same_as({7: {1, 2, 3}, 8: {4, 5}}, [{4, 5, 6}, {9}, {1, 2, 3, 10}])
    [8, None, 7]
    """
    owners: dict[int, list[int]] = {}
    for key, tickets in before.items():
        for ticket in set(tickets):
            owners.setdefault(ticket, []).append(key)
    sizes = {key: len(set(tickets)) for key, tickets in before.items()}
    pairs = [pair for place, tickets in enumerate(now) for pair in _pairs(place, set(tickets), owners, sizes)]
    found: list[int | None] = [None] * len(now)
    taken: set[int] = set()
    for _, _, _, key, place in sorted(pairs):
        if found[place] is None and key not in taken:
            found[place] = key
            taken.add(key)
    return found


def _pairs(
    place: int, tickets: set[int], owners: Mapping[int, list[int]], sizes: Mapping[int, int]
) -> list[tuple[float, int, int, int, int]]:
    shared = Counter(key for ticket in tickets for key in owners.get(ticket, ()))
    first = min(tickets, default=0)  # so that the order in which candidates come makes no difference
    return [
        (-count / (len(tickets) + sizes[key] - count), -count, first, key, place)
        for key, count in shared.items()
        if count >= LEAST_SHARED * min(len(tickets), sizes[key])
    ]
