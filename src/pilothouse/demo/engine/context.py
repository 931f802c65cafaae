"""What the placeholders of a text stand for, and how impact and urgency fall."""

from random import Random
from typing import Any

from pilothouse.demo.engine.company import SITES
from pilothouse.demo.engine.specs import Organisation

# profile -> ((impact, urgency), weight); the priority follows by the matrix.
PROFILES: dict[str, tuple[tuple[tuple[int, int], float], ...]] = {
    "one": (((3, 3), 30), ((3, 2), 46), ((3, 1), 13), ((2, 3), 7), ((2, 2), 4)),
    "few": (((2, 3), 30), ((2, 2), 34), ((3, 2), 24), ((2, 1), 4), ((3, 1), 8)),
    "team": (((2, 2), 48), ((2, 3), 22), ((2, 1), 16), ((1, 2), 4), ((1, 1), 1), ((3, 2), 9)),
    "money": (((2, 2), 38), ((3, 1), 30), ((3, 2), 26), ((2, 1), 6)),
    "alarm": (((2, 3), 34), ((2, 2), 30), ((3, 3), 18), ((2, 1), 9), ((1, 3), 6), ((1, 2), 2.4), ((1, 1), 0.6)),
    "wish": (((3, 3), 66), ((3, 2), 28), ((3, 1), 3), ((2, 3), 3)),
}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "yesterday", "last week")
_SOFTWARE = ("PDF signer", "Power BI Desktop", "R", "Python", "SAS client", "Diagram tool", "Dictation", "7-Zip", "SQL client")


def impact_urgency(rng: Random, profile: str) -> tuple[int, int]:
    """Draw impact and urgency (1 high to 3 low) by a profile."""
    pairs = PROFILES[profile]
    return rng.choices([pair for pair, _ in pairs], [weight for _, weight in pairs])[0]


def context(rng: Random, org: Organisation, *, site: int, service: int | None, ci: int | None) -> dict[str, Any]:
    """Return the placeholders' values for one ticket."""
    place, number = SITES[site], rng.randrange(10_000_000)
    return {
        "app": org.services[service].short if service is not None else "the system",
        "ci": org.cis[ci].name if ci is not None else "the device",
        "ip": (org.cis[ci].attributes.get("ip") if ci is not None else None) or f"10.2{site}.4.{number % 250 + 2}",
        "site": place.city,
        "floor": number % place.floors + 1,
        "room": f"{number % place.floors + 1}.{number % 37 + 10}",
        "first": "",
        "colleague": org.people[number % len(org.people)].name,
        "policy": f"LF-{number:07d}",
        "policy4": f"{number % 10000:04d}",
        "claim": f"C{number % 1_000_000:06d}/{number % 3 + 24}",
        "amount": f"£{number % 9000 + 120:,}",
        "time": f"{8 + number % 9}:{number % 12 * 5:02d}",
        "day": _DAYS[number % len(_DAYS)],
        "job": f"{('POL', 'CLM', 'BIL', 'LED', 'DWH')[number % 5]}{number % 90 + 10}D{number % 9:02d}",
        "step": number % 7 + 1,
        "minute": f"{number % 50 + 10}",
        "octet": number % 250 + 2,
        "software": _SOFTWARE[number % len(_SOFTWARE)],
    }
