"""The pages of schedules, through the site's own addresses."""

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pilothouse.people.testing import NamedPeople
from pilothouse.platform import clock
from pilothouse.sla import schedules
from pilothouse.sla.actions import schedules as actions
from pilothouse.sla.models import Schedule, ScheduleUse

NOW = datetime(2026, 6, 5, 14, 0, tzinfo=UTC)  # a Friday, 16:00 in Berlin
OFFICE: dict[str, Any] = {
    "zone": "Europe/Berlin",
    "week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-12:00, 13:00-17:00"),
    "holidays": [{"country": "DE", "subdivision": "BY"}],
    "days": [{"date": "12-24", "hours": "08:00-12:00", "name": "Christmas Eve"}],
    "exceptions": [{"from": "2026-12-31 12:00", "to": "2027-01-02 00:00", "open": False, "name": "stocktaking"}],
}
TYPED = {
    "name": "Office Munich",
    "description": "",
    "zone": "Europe/Berlin",
    **OFFICE["week"],
    "country_0": "DE",
    "part_0": "BY",
    "working_0": "",
    "days": "12-24 08:00-12:00 Christmas Eve",
    "exceptions": "2026-12-31 12:00 to 2027-01-02 00:00 closed stocktaking",
    "how": "",
}
BASE = "/service-levels/schedules"


@pytest.fixture
def office(people: NamedPeople) -> Schedule:
    return actions.add_schedule(actor=people.actor("adam"), name="Office Munich", definition=OFFICE, now=NOW)


_seconds = itertools.count()


def moving() -> Any:
    """Each request comes a second after the one before."""
    return clock.at(NOW + timedelta(seconds=next(_seconds)))


def page(people: NamedPeople, who: str, path: str, status: int = 200) -> str:
    with moving():
        answer = people.client(who).get(path)
    assert answer.status_code == status, answer.content.decode()[:3000]
    return str(answer.content.decode())


def send(people: NamedPeople, path: str, data: dict[str, Any], status: int) -> str:
    with moving():
        answer = people.client("adam").post(path, data)
    assert answer.status_code == status, re.sub(r"<[^>]+>", " ", answer.content.decode())[-3000:]
    return str(answer.content.decode())


def test_where_there_is_none_a_usual_week_is_offered(people: NamedPeople) -> None:
    text = page(people, "adam", BASE)
    assert "No schedule yet" in text and "Office hours" in text
    assert "Start from" not in page(people, "alan", BASE)
    for start in ("office", "nights", "always", "nonsense", ""):
        page(people, "adam", f"{BASE}/new?from={start}")
    assert 'value="22:00-06:00"' in page(people, "adam", f"{BASE}/new?from=nights")


def test_a_schedule_is_typed_as_text(people: NamedPeople) -> None:
    send(people, f"{BASE}/new", TYPED, 302)
    made = Schedule.objects.get()
    assert made.versions.get().definition == OFFICE
    assert "Office Munich" in page(people, "alan", BASE)
    assert "open until 17:00" in page(people, "audrey", BASE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mon": "08:00-12:00, 11:00-17:00"}, "08:00-12:00 and 11:00-17:00 overlap"),
        ({"zone": "Europe/Berln"}, "Did you mean Europe/Berlin?"),
        ({"part_0": "XX"}, "DE has BB"),
        ({"country_0": "XX"}, "Select a valid choice"),
        ({"days": "12-24 closed\n02-30 nothing"}, "Line 2: There is no date"),
        ({"exceptions": "tomorrow"}, "is no exception"),
        ({"exceptions": "2026-12-31 12:00 to 2026-12-30 12:00"}, "Line 1: The exception ends at"),
        ({**dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ""), "days": "", "exceptions": ""}, "never opens"),
        ({"name": ""}, "This field is required"),
        ({"how": "all"}, "needs the ids"),
        ({"name": "a\x00b"}, "Null characters"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(people: NamedPeople, change: dict[str, str], words: str) -> None:
    text = send(people, f"{BASE}/new", {**TYPED, **change}, 422)
    assert words in text
    assert not Schedule.objects.exists()
    assert "13:00-17:00" in text or "mon" in change, "what was typed stays"


def test_the_schedules_page_tells_the_year(people: NamedPeople, office: Schedule) -> None:
    text = page(people, "alan", f"{BASE}/{office.pk}")
    assert "The year 2026" in text
    assert "Fri 5 Jun 2026, 08:00-12:00, 13:00-17:00 (8 h)" in text
    assert "Thu 24 Dec 2026, 08:00-12:00 (4 h), Christmas Eve" in text
    assert "Corpus Christi" in text, "Bavaria's own holidays are named"
    assert "the clocks go forward 1 h" in text
    assert "stocktaking" in text
    assert "Retire" not in text, "an agent does not change it"
    assert "The year 2027" in page(people, "alan", f"{BASE}/{office.pk}?year=2027")
    for odd in ("x", "99999", "-1", "0001", "9999", "²"):
        page(people, "alan", f"{BASE}/{office.pk}?year={odd}")
    page(people, "alan", f"{BASE}/999999", 404)
    page(people, "rita", f"{BASE}/{office.pk}", 403)


def test_a_computation_is_explained_in_words_and_a_picture(people: NamedPeople, office: Schedule) -> None:
    text = page(people, "alan", f"{BASE}/{office.pk}/explain?start=2026-06-05T16:00&duration=4h")
    assert "Fri 16:00 + 4 h = Mon 11:00: 1 h Friday, weekend closed, 3 h Monday." in text
    assert text.count("<svg viewBox") == 4, "a line for each day"
    assert "style=" not in text
    text = page(people, "alan", f"{BASE}/{office.pk}/explain?start=2026-03-27T16:00&end=2026-05-01T12:00")
    assert "On Sun 29 Mar 2026 the clocks go forward 1 h." in text
    assert "days</span>" in text, "days in the middle are left out"
    page(people, "alan", f"{BASE}/{office.pk}/explain")
    for bad in (
        "start=x&duration=4h",
        "start=2026-06-05T16:00",
        "start=2026-06-05T16:00&duration=soon",
        "start=2026-06-05T16:00&duration=999999999h",
    ):
        page(people, "alan", f"{BASE}/{office.pk}/explain?{bad}", 422)
    assert "It never opens that long" in page(people, "alan", f"{BASE}/{office.pk}/explain?start=2039-06-05T16:00&duration=9000h")
    for odd in ("start=0001-01-01T00:00&duration=4h", "start=9999-12-31T23:59&duration=4h", "start=0001-01-01T00:00&end=9999-12-31T23:59"):
        page(people, "alan", f"{BASE}/{office.pk}/explain?{odd}", 422)
    page(people, "alan", f"{BASE}/{office.pk}/explain?start=1990-01-01T00:00&end=2100-12-31T23:59")


def test_a_change_is_shown_before_it_is_saved(people: NamedPeople, office: Schedule) -> None:
    text = page(people, "adam", f"{BASE}/{office.pk}/edit")
    assert "12-24 08:00-12:00 Christmas Eve" in text and "2026-12-31 12:00 to 2027-01-02 00:00 closed stocktaking" in text
    typed = {**TYPED, "fri": "08:00-12:00", "holds": "now", "base": 1, "note": "Fridays off"}
    shown = send(people, f"{BASE}/{office.pk}/edit", typed, 200)
    assert "not saved yet" in shown and "Fri 12 Jun 2026" in shown
    assert re.search(r"<b>5\d</b> days", shown), "every Friday of a year, but for holidays"
    assert office.versions.count() == 1
    again = send(people, f"{BASE}/{office.pk}/edit", {**typed, "again": "yes"}, 200)
    assert 'value="08:00-12:00"' in again and "See what it changes" in again
    send(people, f"{BASE}/{office.pk}/edit", {**typed, "confirm": "yes"}, 302)
    version = office.versions.get(number=2)
    assert version.note == "Fridays off" and version.effective_from is not None
    stale = send(people, f"{BASE}/{office.pk}/edit", {**typed, "fri": "", "confirm": "yes"}, 412)
    assert "Somebody changed the schedule in between" in stale


def test_a_change_may_hold_from_a_day_or_since_ever(people: NamedPeople, office: Schedule) -> None:
    typed = {**TYPED, "fri": "", "base": 1}
    assert "Name the day" in send(people, f"{BASE}/{office.pk}/edit", {**typed, "holds": "from"}, 422)
    send(people, f"{BASE}/{office.pk}/edit", {**typed, "holds": "from", "holds_from": "2026-07-01T00:00", "confirm": "yes"}, 302)
    assert office.versions.get(number=2).effective_from == datetime(2026, 6, 30, 22, 0, tzinfo=UTC), "midnight in Berlin"
    shown = send(people, f"{BASE}/{office.pk}/edit", {**typed, "mon": "", "holds": "ever", "base": 2}, 200)
    assert "The past changes too" in shown
    assert "Version 2, planned from Wed 1 Jul 2026 00:00, would never hold" in shown
    send(people, f"{BASE}/{office.pk}/edit", {**typed, "mon": "", "holds": "ever", "base": 2, "confirm": "yes"}, 302)
    friday = int(datetime(2020, 6, 5, 10, 0, tzinfo=UTC).timestamp())
    assert not schedules.hours_of(office.pk).is_open(friday)


def test_combining_needs_no_hours_of_ones_own(people: NamedPeople, office: Schedule) -> None:
    empty = {
        **dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), ""),
        "days": "",
        "exceptions": "",
        "country_0": "",
        "part_0": "",
    }
    send(people, f"{BASE}/new", {**TYPED, **empty, "name": "Both", "how": "any", "others": [office.pk]}, 302)
    both = Schedule.objects.get(name="Both")
    assert both.versions.get().definition == {"zone": "Europe/Berlin", "combine": {"how": "any", "schedules": [office.pk]}}
    assert "Office Munich" in page(people, "alan", f"{BASE}/{both.pk}")
    assert "combines it" in page(people, "alan", f"{BASE}/{office.pk}")
    page(people, "adam", f"{BASE}/{both.pk}/edit")


def test_whose_hours_it_is_and_retiring(people: NamedPeople, office: Schedule) -> None:
    here = f"{BASE}/{office.pk}"
    send(people, f"{here}/uses", {"kind": "team", "user": "network"}, 302)
    send(people, f"{here}/uses", {"kind": "site", "user": "Porto", "since_ever": "on"}, 302)
    assert "No team is called “Nobody”." in send(people, f"{here}/uses", {"kind": "team", "user": "Nobody"}, 422)
    assert "Porto" in page(people, "alan", here)
    send(people, f"{here}/retire", {}, 302)
    assert "is in use" in page(people, "adam", here)
    send(people, f"{here}/uses/remove", {"kind": "site", "site": "Porto"}, 302)
    send(people, f"{here}/uses/remove", {"kind": "team", "record": people.teams["Network"].pk}, 302)
    send(people, f"{here}/uses/remove", {"kind": "team", "record": "x"}, 404)
    assert ScheduleUse.objects.filter(schedule=None).count() == 2
    send(people, f"{here}/retire", {}, 302)
    assert "retired" in page(people, "adam", here)
    assert "Office Munich" not in page(people, "alan", BASE)
    assert "Office Munich" in page(people, "alan", f"{BASE}?retired")
