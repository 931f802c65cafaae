"""Forms of schedules: hours as people write them, turned into a definition, whose problems come back beside their fields."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError

from pilothouse.people.forms import ZoneField
from pilothouse.platform.forms import RefusableForm
from pilothouse.platform.refusals import Refused
from pilothouse.platform.time_zones import known_zones
from pilothouse.sla.engine.business_time import Definition, read_definition
from pilothouse.sla.engine.business_time.definition import DAY_NAMES, DAYS
from pilothouse.sla.engine.business_time.reading import INTERVAL, country_names, day_text, hours_text, moment_text
from pilothouse.sla.models import Schedule

OFFICE = "08:00-12:00, 13:00-17:00"
STARTS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "office": ("Office hours", "Monday to Friday, a lunch break", dict.fromkeys(DAYS[:5], OFFICE)),
    "extended": (
        "Extended hours",
        "Monday to Friday 07:00-20:00, Saturday mornings",
        {**dict.fromkeys(DAYS[:5], "07:00-20:00"), "sat": "08:00-12:00"},
    ),
    "shifts": ("Early and late shift", "Monday to Friday 06:00-22:00", dict.fromkeys(DAYS[:5], "06:00-22:00")),
    "nights": ("Night shift", "Every night 22:00-06:00", dict.fromkeys(DAYS, "22:00-06:00")),
    "always": ("Round the clock", "24 hours, seven days", dict.fromkeys(DAYS, "00:00-24:00")),
}
FIRST_YEAR, LAST_YEAR = 1990, 2100  # of an explanation; what schedules are compiled for lies within
FEWEST_CALENDARS, MOST_CALENDARS = 2, 20
_PLACE = re.compile(r"(\w+)\[(\d+)\](?:\.(\w+))?")
_OWN_DAY = re.compile(r"(\S+)\s*(.*)")
_EXCEPTION = re.compile(
    r"(\d{4}-\d{2}-\d{2}[T ]\d{1,2}:\d{2})\s*(?:to|-|–|until)\s*(\d{4}-\d{2}-\d{2}[T ]\d{1,2}:\d{2})\s*(open|closed)?\s*,?\s*(.*)",
    re.IGNORECASE,
)
_WORDS_FOR_NAMES = re.compile(r"\s*[,;]\s*")


class ScheduleForm(RefusableForm):
    """A schedule's name and definition: the week by day, holidays by country, own days and exceptions a line each."""

    name = forms.CharField(max_length=120)
    description = forms.CharField(required=False, max_length=500, help_text="Who works these hours.")
    zone = ZoneField(help_text="The hours are read from the clocks there.")
    days = forms.CharField(
        required=False,
        label="Own days",
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
        help_text="One a line: a date (without a year: every year), hours or none, a name. Example: 12-24 08:00-12:00 Christmas Eve",
    )
    exceptions = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
        help_text="One a line, closed or open whatever the rest says. Example: 2026-12-31 12:00 to 2027-01-02 00:00 closed stocktaking",
    )
    how = forms.ChoiceField(
        label="Combine with other schedules",
        choices=[("", "Not at all"), ("all", "Open when all of them are open"), ("any", "Open when any of them is open")],
        required=False,
        help_text="These hours count as one of them, unless all seven days are empty.",
    )
    others = forms.TypedMultipleChoiceField(
        required=False, coerce=int, label="Other schedules", widget=forms.CheckboxSelectMultiple(attrs={"class": "choices"})
    )
    note = forms.CharField(required=False, max_length=500, label="Why it changes", help_text="It stands beside the version.")

    def __init__(self, data: Any = None, *, others: Iterable[Schedule] = (), definition: Definition | None = None, **kwargs: Any) -> None:
        initial = {**(_initial(definition) if definition else {}), **(kwargs.pop("initial", None) or {})}
        super().__init__(data, initial=initial, **kwargs)
        self.fields["others"].choices = [(each.pk, each.name) for each in others]  # type: ignore[attr-defined]
        for day, name in zip(DAYS, DAY_NAMES, strict=True):
            self.fields[day] = forms.CharField(
                required=False,
                max_length=200,
                label=name,
                widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "closed", "class": "mono"}),
            )
        self.rows = _rows(data, definition)
        for row in range(self.rows):
            self._add_calendar(row)

    def _add_calendar(self, row: int) -> None:
        self.fields[f"country_{row}"] = forms.ChoiceField(required=False, label="Country", choices=_country_choices)
        self.fields[f"part_{row}"] = forms.CharField(required=False, max_length=60, label="Subdivision")
        self.fields[f"working_{row}"] = forms.CharField(required=False, max_length=1000, label="Worked nevertheless")

    @property
    def week(self) -> list[forms.BoundField]:
        """The fields of the days, Monday first."""
        return [self[day] for day in DAYS]

    @property
    def calendars(self) -> list[tuple[forms.BoundField, forms.BoundField, forms.BoundField]]:
        """The fields of the holiday calendars, row by row."""
        return [(self[f"country_{row}"], self[f"part_{row}"], self[f"working_{row}"]) for row in range(self.rows)]

    def clean_days(self) -> list[dict[str, Any]]:
        """Read the lines of own days."""
        return [_own_day(line) for line in _lines(self.cleaned_data["days"])]

    def clean_exceptions(self) -> list[dict[str, Any]]:
        """Read the lines of exceptions."""
        return [_exception(line) for line in _lines(self.cleaned_data["exceptions"])]

    def definition(self) -> dict[str, Any]:
        """Return the definition that was typed, as JSON; what is wrong with it is found when it is read."""
        values = self.cleaned_data
        week = {day: values[day] for day in DAYS if values[day].strip()}
        data: dict[str, Any] = {
            "zone": values["zone"],
            "week": week,
            "holidays": list(self._holidays()),
            "days": values["days"],
            "exceptions": values["exceptions"],
        }
        if values["how"]:
            data["combine"] = {"how": values["how"], "schedules": values["others"]}
            if not week and not (data["days"] or data["exceptions"]):
                data |= {"week": None}
        return {name: value for name, value in data.items() if value is not None and value != []}

    def _holidays(self) -> Iterator[dict[str, Any]]:
        for row in self._calendar_rows():
            working = [name for name in _WORDS_FOR_NAMES.split(self.cleaned_data[f"working_{row}"].strip()) if name]
            yield {
                "country": self.cleaned_data[f"country_{row}"],
                "subdivision": self.cleaned_data[f"part_{row}"].strip(),
                "working": working,
            }

    def _calendar_rows(self) -> list[int]:
        return [row for row in range(self.rows) if self.cleaned_data.get(f"country_{row}")]

    def refuse(self, refusal: Refused) -> None:
        """Put each of a refusal's errors beside the field that its place in the definition came from."""
        for error in refusal.errors:
            field, line = self._field_of(error.field)
            message = f"{line}{error.message} {error.hint}".strip()
            self.add_error(field if field in self.fields else None, message)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def _field_of(self, place: str) -> tuple[str, str]:
        """Return the form's field for a place such as week.mon, holidays[1].country, days[2].hours, and which line is meant."""
        found = _PLACE.fullmatch(place)
        if found is None:
            known = {"week": "mon", "combine.how": "how", "combine.schedules": "others", "combine": "how", "user": "others"}
            return known.get(place, place.removeprefix("week.")), ""
        if found[1] == "holidays":
            row = self._calendar_rows()[int(found[2])]
            return {"subdivision": f"part_{row}", "working": f"working_{row}"}.get(found[3], f"country_{row}"), ""
        return found[1], f"Line {int(found[2]) + 1}: "


class NewScheduleForm(ScheduleForm):
    """A new schedule: its hours hold since ever."""

    note = None  # type: ignore[assignment]


class LocalMoment(forms.DateTimeInput):
    """The browser's own field for a day and an hour; what is none is not given back to it, as it cannot show it."""

    def __init__(self) -> None:
        super().__init__(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def format_value(self, value: Any) -> str | None:
        """Write the value as the field reads it."""
        if isinstance(value, str):
            try:
                datetime.fromisoformat(value)
            except ValueError:
                return None
        return super().format_value(value)


class ChangeForm(ScheduleForm):
    """A change: from when on the new version holds."""

    holds = forms.ChoiceField(
        label="The new version holds",
        choices=[("now", "from now on"), ("from", "from a day on"), ("ever", "since ever: the past is counted anew")],
        initial="now",
    )
    holds_from = forms.DateTimeField(
        required=False,
        label="From",
        widget=LocalMoment(),
        help_text="In the zone of the schedule.",
    )
    base = forms.IntegerField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Need a day where one is to be named."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("holds") == "from" and not values.get("holds_from") and "holds_from" not in self.errors:
            self.add_error("holds_from", "Name the day and the hour.")
        return values

    def effective_from(self) -> datetime | None:
        """Return from when on it holds, or None: now, or since ever (`since_ever`)."""
        if self.cleaned_data["holds"] != "from" or self.cleaned_data["zone"] not in known_zones():
            return None
        moment: datetime = self.cleaned_data["holds_from"]
        return moment.replace(tzinfo=ZoneInfo(self.cleaned_data["zone"]))

    @property
    def since_ever(self) -> bool:
        return bool(self.cleaned_data["holds"] == "ever")


class UseForm(RefusableForm):
    """Whose hours a schedule is: what it is, and its name."""

    kind = forms.ChoiceField(choices=[("service", "Service"), ("team", "Team"), ("site", "Site"), ("ci", "CI")], label="Whose")
    user = forms.CharField(max_length=200, label="Name", widget=forms.TextInput(attrs={"autocomplete": "off", "list": "users"}))
    since_ever = forms.BooleanField(required=False, label="since ever: the past is counted anew")


class ExplainForm(RefusableForm):
    """One computation: a start with a duration, or with an end. Times are of the schedule's zone."""

    start = forms.DateTimeField(widget=LocalMoment())
    duration = forms.CharField(
        required=False, max_length=40, help_text="Example: 4h, 1h 30m, 90s", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    end = forms.DateTimeField(required=False, label="or an end", widget=LocalMoment())

    def clean_start(self) -> datetime:
        """Refuse years that no schedule reaches."""
        return _within_reach(self.cleaned_data["start"])

    def clean_end(self) -> datetime | None:
        """Refuse years that no schedule reaches."""
        return _within_reach(self.cleaned_data["end"]) if self.cleaned_data["end"] else None

    def clean_duration(self) -> int | None:
        """Read the duration in seconds."""
        text = self.cleaned_data["duration"].strip()
        return read_seconds(text) if text else None

    def clean(self) -> dict[str, Any]:
        """Need one of duration and end."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and (values.get("duration") is None) == (values.get("end") is None):
            self.add_error("duration", "Give a duration, or an end, but not both.")
        return values


def _within_reach(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValidationError(f"Years go from {FIRST_YEAR} to {LAST_YEAR} here.")
    return moment


_PART = re.compile(r"(\d{1,9})\s*(h|m|s)(?:ours?|in(?:ute)?s?|ec(?:ond)?s?)?", re.IGNORECASE)
_SECONDS = {"h": 3600, "m": 60, "s": 1}
_LONGEST = 20 * 366 * 86_400


def read_seconds(text: str) -> int:
    """Read a duration of hours, minutes and seconds; raises ValidationError."""
    found = _PART.findall(text)
    if not found or _PART.sub("", text).strip(" ,"):
        raise ValidationError("This is no duration. Example: 4h, 1h 30m, 90s")
    seconds = sum(int(number) * _SECONDS[unit.lower()] for number, unit in found)
    if seconds > _LONGEST:
        raise ValidationError("At most twenty years.")
    return seconds


def _rows(data: Mapping[str, Any] | None, definition: Definition | None) -> int:
    """How many holiday calendars the form shows: those there are, and one to be added."""
    if data is not None:
        sent = [int(name.removeprefix("country_")) for name in data if re.fullmatch(r"country_\d{1,2}", name)]
        return min(max([*sent, FEWEST_CALENDARS - 1]) + 1, MOST_CALENDARS)
    return min(max(len(definition.holidays) + 1 if definition else 0, FEWEST_CALENDARS), MOST_CALENDARS)


def _country_choices() -> list[tuple[str, str]]:
    return [("", "None"), *((code, f"{name} ({code})") for code, name in country_names().items())]


def _initial(definition: Definition) -> dict[str, Any]:
    values: dict[str, Any] = {"zone": definition.zone}
    values |= {day: hours_text(hours) for day, hours in zip(DAYS, definition.week or (), strict=False)}
    for row, calendar in enumerate(definition.holidays):
        values |= {f"country_{row}": calendar.country, f"part_{row}": calendar.subdivision, f"working_{row}": ", ".join(calendar.working)}
    values["days"] = "\n".join(" ".join(filter(None, (day_text(own), hours_text(own.hours), own.name))) for own in definition.days)
    values["exceptions"] = "\n".join(
        f"{moment_text(each.start)} to {moment_text(each.end)} {'open' if each.is_open else 'closed'} {each.name}".strip()
        for each in definition.exceptions
    )
    if definition.combination:
        values |= {"how": definition.combination.how, "others": list(definition.combination.schedules)}
    return values


def _lines(text: str) -> Sequence[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _own_day(line: str) -> dict[str, Any]:
    """A line such as "12-24 08:00-12:00, 13:00-14:00 Christmas Eve": its date, the hours that follow it, and the rest as its name."""
    found = _OWN_DAY.fullmatch(line)
    date, rest = (found[1], found[2]) if found else (line, "")
    hours = []
    while interval := INTERVAL.match(rest):
        hours.append(interval[0])
        rest = rest[interval.end() :].lstrip(" ,;")
    name = re.sub(r"^closed\b\s*,?\s*", "", rest, flags=re.IGNORECASE)
    return {"date": date, "hours": ", ".join(hours), "name": name}


def _exception(line: str) -> dict[str, Any]:
    found = _EXCEPTION.fullmatch(line)
    if found is None:
        raise ValidationError(f"“{line[:80]}” is no exception. Example: 2026-12-31 12:00 to 2027-01-02 00:00 closed stocktaking")
    return {"from": _full(found[1]), "to": _full(found[2]), "open": (found[3] or "closed").lower() == "open", "name": found[4].strip()}


def _full(moment: str) -> str:
    """A moment with two digits of the hour."""
    day, _, hour = moment.replace("T", " ").partition(" ")
    return f"{day} {hour.rjust(5, '0')}"


def start_definition(start: str) -> Definition | None:
    """The definition that a new schedule may start from; None for an unknown word."""
    found = STARTS.get(start)
    return read_definition({"zone": "UTC", "week": found[2]}).definition if found else None
