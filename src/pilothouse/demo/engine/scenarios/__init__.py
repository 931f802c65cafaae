"""What goes wrong and what is asked for: the texts of the demo, all written for it."""

from pilothouse.demo.engine.scenarios import planted
from pilothouse.demo.engine.scenarios.alarms import ALARMS
from pilothouse.demo.engine.scenarios.applications import APPLICATIONS
from pilothouse.demo.engine.scenarios.requests import REQUESTS
from pilothouse.demo.engine.scenarios.sign_in import SIGN_IN_AND_LAPTOP
from pilothouse.demo.engine.scenarios.workplace import WORKPLACE

INCIDENTS = (*SIGN_IN_AND_LAPTOP, *WORKPLACE, *APPLICATIONS)


def categories() -> list[tuple[str, str]]:
    """Return every (category, subcategory) that tickets are filed under, and each category alone."""
    pairs = {(s.category, s.subcategory) for s in (*INCIDENTS, *ALARMS, *REQUESTS, *planted.EVERY)}
    return sorted(pairs | {(category, "") for category, _ in pairs})


__all__ = ["ALARMS", "INCIDENTS", "REQUESTS", "categories"]
