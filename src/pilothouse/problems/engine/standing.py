"""When a candidate that was dismissed comes back: once what is found of it now is more than what was dismissed; pure.

Values are problems/data.py's form of a candidate. More is: half as many tickets again (and five at least), a facet, a period or a
possible cause that did not stand when it was dismissed.
"""

from collections.abc import Mapping
from typing import Any

from pilothouse.problems.engine.saying import label

GROWN, AT_LEAST = 1.5, 5
_OTHER_PERIOD = 0.2
Found = Mapping[str, Any]


def changed(dismissed: Found, now: Found) -> str:
    """Say why evidence that was dismissed counts as changed; an empty text when it does not.

    >>> changed({"ticket_count": 40}, {"ticket_count": 60})
    'it has 60 tickets, and had 40'
    >>> changed({"ticket_count": 40}, {"ticket_count": 44})
    ''
    """
    return _grown(dismissed, now) or _facet(dismissed, now) or _period(dismissed, now) or _cause(dismissed, now)


def _grown(dismissed: Found, now: Found) -> str:
    before, count = dismissed.get("ticket_count", 0), now.get("ticket_count", 0)
    return f"it has {count:,} tickets, and had {before:,}" if count >= max(GROWN * before, before + AT_LEAST) else ""


def _facet(dismissed: Found, now: Found) -> str:
    known = {name for facet in dismissed.get("facets", ()) for name in (f"{facet['fact']} {facet['value']}", *facet.get("same", ()))}
    fresh = next((facet for facet in now.get("facets", ()) if f"{facet['fact']} {facet['value']}" not in known), None)
    return f"it concentrates on {label(fresh['fact'])} {fresh.get('said') or fresh['value']}" if fresh else ""


def _period(dismissed: Found, now: Found) -> str:
    period = now.get("rhythm", {}).get("period")
    before = dismissed.get("rhythm", {}).get("period")
    if not period or (before and abs(period["days"] - before["days"]) <= _OTHER_PERIOD * before["days"]):
        return ""
    return f"it recurs every {period['days']:.1f} days"


def _cause(dismissed: Found, now: Found) -> str:
    known = {cause["key"] for cause in dismissed.get("causes", ())}
    fresh = next((cause["key"] for cause in now.get("causes", ()) if cause["key"] not in known), None)
    return f"{fresh} may be its cause" if fresh else ""
