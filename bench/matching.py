"""Matching, judged: what is learnt from the first half of a trouble's tickets in the demo is asked of everything that came after.

`python -m bench.matching [--tickets 8000]`. Each trouble is asked in three ways: as the desk has its tickets, as a requester tells them in
the portal (title, description, service), and by the title and the service alone. The demo is made in memory; about half a minute.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bench.mining_logs import say
from pilothouse.demo.engine.generate import Arguments
from pilothouse.demo.engine.specs import Organisation
from pilothouse.problems.engine.matching import LEAST
from pilothouse.problems.engine.readings import Incident, Readers, learn_readings, read

_UNTIL = datetime(2026, 11, 23, 11, tzinfo=UTC)
_PLANTED = ("reboot", "vpn", "backup", "logon-storm", "month-end")
_OTHERS = 4000
WAYS = ("desk", "portal", "title")


def _facts(org: Organisation, row: Mapping[str, Any]) -> dict[str, str]:
    ci = org.cis[row["ci"]] if row["ci"] is not None else None
    attributes = {name.replace("_", " "): str(value)[:80] for name, value in list(ci.attributes.items())[:20]} if ci else {}
    service = org.services[row["service"]].name if row["service"] is not None else ""
    own = {"CI": ci.name if ci else "", "service": service, "category": row["category"] or "", "subcategory": row["subcategory"] or ""}
    return {**attributes, **own}


def _told(org: Organisation, row: Mapping[str, Any], way: str) -> Incident:
    facts = _facts(org, row)
    kept = facts if way == "desk" else {"service": facts["service"]}
    return read(row["title"], "" if way == "title" else row["description"] or "", kept)


def judge(rows: Mapping[str, Sequence[Incident]], own: Sequence[int]) -> dict[str, Counter[str]]:
    """Learn from the first half of a trouble's rows and ask of all later ones; counts by way: linked, proposed, wrongly linked …"""
    half, belongs = own[: len(own) // 2], set(own)
    cut = half[-1] + 1
    desk = rows["desk"]
    others = [desk[i] for i in range(cut - 1, -1, -1) if i not in belongs][:_OTHERS]
    learnt = learn_readings([desk[i] for i in half], others, len(half) / max(cut - half[0], 1))
    readers = Readers({1: learnt} if learnt else {})
    found: dict[str, Counter[str]] = {way: Counter() for way in WAYS}
    for way, counts in found.items():
        for i in range(cut, len(desk)):
            likes = readers.match(rows[way][i])
            is_own = "" if i in belongs else "not "
            counts[is_own + "its own"] += 1
            if likes:
                counts[f"{is_own}{'linked' if likes[0].is_sure else 'proposed'}"] += 1
    return found


def main() -> None:
    """Print what is linked and proposed, rightly and wrongly, of each trouble and of all."""
    parser = argparse.ArgumentParser(prog="python -m bench.matching", description=__doc__)
    parser.add_argument("--tickets", type=int, default=8000)
    generation = Arguments(seed=7, tickets=parser.parse_args().tickets, days=400, until=_UNTIL).generation()
    lives, org = list(generation.lives()), generation.organisation
    rows = {way: [_told(org, life.fields, way) for life in lives] for way in WAYS}
    troubles: dict[str, list[int]] = defaultdict(list)
    for i, life in enumerate(lives):
        for name in (*(each for each in life.facts if each in _PLANTED), *([life.trouble] if life.trouble else ())):
            troubles[name].append(i)
    whole: dict[str, Counter[str]] = {way: Counter() for way in WAYS}
    for name in (*_PLANTED, *sorted(set(troubles) - set(_PLANTED))):
        if len(troubles[name]) < 2 * LEAST:
            continue
        for way, counts in judge(rows, troubles[name]).items():
            whole[way] += counts
            say(f"  {name:<18} {way:<7} {_line(counts)}")
    for way, counts in whole.items():
        say(f"  {'all':<18} {way:<7} {_line(counts)}")


def _line(counts: Counter[str]) -> str:
    right = f"{counts['linked']:>4} linked and {counts['proposed']:>3} proposed of {counts['its own']:>4}"
    return f"{right}; wrongly {counts['not linked']:>3} and {counts['not proposed']:>3} of {counts['not its own']:>6}"


if __name__ == "__main__":
    main()
