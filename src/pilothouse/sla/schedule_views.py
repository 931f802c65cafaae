"""Schedules: the list, a schedule's year and its explanations, and what administrators change."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pilothouse.cmdb.models import Service
from pilothouse.cmdb.views import journal_lines, typed
from pilothouse.people.doors import signed_in
from pilothouse.people.models import Team, User
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import FieldError, Invalid, Refused
from pilothouse.platform.time_zones import offered_zones
from pilothouse.sla import schedule_checks, schedule_picture, schedule_queries, schedules
from pilothouse.sla.actions import schedules as actions
from pilothouse.sla.actions import what_ifs
from pilothouse.sla.engine.business_time import OpenHours, Reading, explain_add, explain_elapsed, read_definition
from pilothouse.sla.engine.business_time.explaining import day_words, duration_words, local
from pilothouse.sla.engine.business_time.wording import COMBINED, definition_lines
from pilothouse.sla.engine.business_time.zones import instant_of
from pilothouse.sla.engine.lives import seconds
from pilothouse.sla.judging import field_errors
from pilothouse.sla.models import Schedule, ScheduleVersion
from pilothouse.sla.schedule_forms import STARTS, ChangeForm, ExplainForm, NewScheduleForm, ScheduleForm, UseForm, start_definition
from pilothouse.sla.schedule_preview import preview

READ, EDIT = Capability.READ_TICKETS, Capability.CONFIGURE
WEEK = timedelta(days=7)


@require_GET
@signed_in(READ)
def schedules_page(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """List schedules with their week, whether each is open now, and how often it is used."""
    retired = "retired" in request.GET
    now = clock.now()
    rows = [_row(each, now) for each in schedule_queries.schedules_of(actor, retired=retired)]
    shown = {
        "rows": rows,
        "retired": retired,
        "hidden": 0 if retired else Schedule.objects.filter(is_active=False).count(),
        "starts": [(key, name, text) for key, (name, text, _) in STARTS.items()],
        "may_edit": actor.can(EDIT),
    }
    return render(request, "sla/schedules.html", shown)


def _row(schedule: Schedule, now: datetime) -> dict[str, Any]:
    hours = schedules.hours_of(schedule.pk)
    return {
        "schedule": schedule,
        "zone": hours.zone,
        "state": _state(hours, now),
        "week": duration_words(hours.elapsed(seconds(now), seconds(now + WEEK))),
        "needed": len(schedule_queries.needed_by(schedule.pk, now)),
    }


def _state(hours: OpenHours, now: datetime) -> tuple[bool, str]:
    """Say whether the schedule is open now, and until or from when."""
    at = seconds(now)
    opens = hours.next_open(at)
    if opens is None:
        return False, "opens no more"
    if opens > at:
        return False, f"opens {_soon(hours.zone, opens, at)}"
    closes = next(iter(hours.between(at, at + 60 * 86_400)))[1]
    return True, f"open until {_soon(hours.zone, closes, at)}" if closes < at + 60 * 86_400 else "open"


def _soon(zone: str, at: int, now: int) -> str:
    wall, today = local(zone, at), local(zone, now)
    if wall.date() == today.date():
        return f"{wall:%H:%M}"
    return f"{wall:%a %H:%M}" if at - now < 6 * 86_400 else f"{day_words(wall.date())} {wall:%H:%M}"


@require_GET
@signed_in(READ)
def schedule_page(request: HttpRequest, actor: Actor, schedule_id: int) -> HttpResponseBase:
    """Show a schedule: its year day by day, what it says, who counts with it, its versions and its journal."""
    return _schedule_page(request, actor, schedule_id, UseForm())


def _schedule_page(request: HttpRequest, actor: Actor, schedule_id: int, form: UseForm) -> HttpResponse:
    found = schedule_queries.schedule(actor, schedule_id)
    now, hours, versions = clock.now(), schedules.hours_of(schedule_id), schedules.versions_of(schedule_id)
    today = local(hours.zone, seconds(now)).date()
    last_year = now.year + schedules.YEARS_AHEAD
    year = schedule_picture.nearest_year(request.GET.get("year", ""), today, schedules.FIRST_YEAR, last_year)
    may_edit = actor.can(EDIT)
    months = schedule_picture.months_of(hours, versions, year, today)
    shown = {
        "schedule": found,
        "zone": hours.zone,
        "state": _state(hours, now),
        "year": year,
        "earlier": year - 1 if year > schedules.FIRST_YEAR else None,
        "later": year + 1 if year < last_year else None,
        "months": months,
        "total": duration_words(hours.elapsed(*(instant_of(ZoneInfo(hours.zone), today.replace(each, 1, 1)) for each in (year, year + 1)))),
        "lines": _told_lines(versions[-1][1]) if versions else [],
        "versions": [_version_row(each) for each in schedule_queries.versions(schedule_id)],
        "agreements": schedule_queries.agreements_with(schedule_id),
        "combining": schedule_queries.combining(schedule_id),
        "users": schedule_queries.users_of(schedule_id, now),
        "explain": ExplainForm(initial={"start": local(hours.zone, seconds(now)).replace(tzinfo=None, second=0), "duration": "4h"}),
        "use_form": form,
        "names": _names() if may_edit else [],
        "told": journal_lines("schedule", schedule_id),
        "may_edit": may_edit,
    }
    return render(request, "sla/schedule.html", shown, status=form.answer_status)


def _told_lines(definition: Any) -> list[tuple[str, list[Any]]]:
    """What the newest version says, line by line; combined schedules as links."""
    said = []
    for label, value in definition_lines(definition).items():
        if label in COMBINED.values():
            said.append((label, list(Schedule.objects.filter(pk__in=value))))
        else:
            said.append((label, value if isinstance(value, list) else [value]))
    return said


def _version_row(version: ScheduleVersion) -> dict[str, Any]:
    reading = read_definition(version.definition)
    zone = reading.definition.zone if reading.definition else "UTC"
    at = local(zone, seconds(version.effective_from)) if version.effective_from else None
    return {"version": version, "since": f"{day_words(at.date())} {at:%H:%M}" if at else "ever", "zone": zone}


def _names() -> list[str]:
    """The names that may be typed as a schedule's user: teams, services and sites."""
    sites = User.objects.exclude(site="").values_list("site", flat=True).distinct()
    found = [*Team.objects.filter(is_active=True).values_list("name", flat=True), *Service.objects.values_list("name", flat=True), *sites]
    return sorted(set(found))[:500]


@require_http_methods(["GET", "POST"])
@signed_in(EDIT)
def new_schedule(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Add a schedule, perhaps starting from a usual week."""
    start = request.GET.get("from", "")
    initial = {"zone": actor.time_zone, **({"name": STARTS[start][0]} if start in STARTS else {})}
    form = NewScheduleForm(typed(request), others=_others(actor), definition=start_definition(start), initial=initial)
    if form.is_bound and form.carries_out(lambda values: _add(actor, form, values)):
        _tell_warnings(request, form.definition(), form.result.pk)
        messages.success(request, f"Added {form.result.name}.")
        return HttpResponseRedirect(reverse("schedule", args=[form.result.pk]))
    return _form_page(request, form, "New schedule", reverse("schedules"))


def _add(actor: Actor, form: NewScheduleForm, values: Mapping[str, Any]) -> Schedule:
    return actions.add_schedule(
        actor=actor, name=values["name"], description=values["description"], definition=form.definition(), now=clock.now()
    )


def _tell_warnings(request: HttpRequest, definition: Mapping[str, Any], schedule_id: int) -> None:
    for warning in schedule_checks.judge(definition, schedule_id=schedule_id, now=clock.now()).warnings:
        messages.warning(request, f"{warning.message} {warning.hint}".strip())


def _others(actor: Actor, but: int = 0) -> list[Schedule]:
    return list(schedule_queries.schedules_of(actor).exclude(pk=but))


def _form_page(request: HttpRequest, form: ScheduleForm, title: str, back_to: str) -> HttpResponse:
    shown = {"form": form, "title": title, "back_to": back_to, "zones": offered_zones()}
    return render(request, "sla/schedule_edit.html", shown, status=form.answer_status)


@require_http_methods(["GET", "POST"])
@signed_in(EDIT)
def edit_schedule(request: HttpRequest, actor: Actor, schedule_id: int) -> HttpResponseBase:
    """Change a schedule: typed, then shown what it would change, then saved."""
    found = schedule_queries.schedule(actor, schedule_id)
    last = read_definition(found.newest.definition).definition
    initial = {"name": found.name, "description": found.description, "base": found.version}
    form = ChangeForm(typed(request), others=_others(actor, found.pk), definition=last, initial=initial)
    here = reverse("schedule", args=[schedule_id])
    if form.is_bound and "again" not in request.POST:
        is_confirmed = "confirm" in request.POST
        if form.carries_out(lambda values: _change(actor, found, form, values) if is_confirmed else _judge(found, form)):
            if not is_confirmed:
                return _preview_page(request, actor, found, form)
            messages.success(request, f"Changed {form.result.name}.")
            return HttpResponseRedirect(here)
    return _form_page(request, form, f"Edit {found.name}", here)


def _judge(schedule: Schedule, form: ChangeForm) -> Reading:
    """Read what was typed; raises Invalid as saving it would."""
    reading = schedule_checks.judge(form.definition(), schedule_id=schedule.pk, now=clock.now())
    if reading.definition is None:
        raise Invalid("This is no schedule yet.", field_errors(reading.errors))
    return reading


def _change(actor: Actor, schedule: Schedule, form: ChangeForm, values: Mapping[str, Any]) -> Schedule:
    return actions.change_schedule(
        actor=actor,
        schedule_id=schedule.pk,
        name=values["name"],
        description=values["description"],
        definition=form.definition(),
        effective_from=form.effective_from(),
        since_ever=form.since_ever,
        note=values["note"],
        expected_version=values["base"],
        now=clock.now(),
    )


def _preview_page(request: HttpRequest, actor: Actor, schedule: Schedule, form: ChangeForm) -> HttpResponse:
    now, reading = clock.now(), form.result
    begins = None if form.since_ever else form.effective_from() or now
    sent = [(name, value) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken" for value in values]
    shown = {
        "schedule": schedule,
        "preview": preview(schedule, reading.definition, begins, now),
        "warnings": reading.warnings,
        "holds": "since ever" if begins is None else f"from {_wall(reading.definition.zone, begins)} on",
        "past": begins is None or begins < now,
        "number": schedule.version + 1,
        "facts": [(label, getattr(schedule, label), form.cleaned_data[label]) for label in ("name", "description")],
        "sent": sent,
        "asked": what_ifs.ask_what_if(actor=actor, change={"schedules": {schedule.key: form.definition()}}, now=now),
    }
    return render(request, "sla/schedule_preview.html", shown)


def _wall(zone: str, at: datetime) -> str:
    wall = local(zone, seconds(at))
    return f"{day_words(wall.date())} {wall:%H:%M}"


@require_POST
@signed_in(EDIT)
def retire_schedule(request: HttpRequest, actor: Actor, schedule_id: int) -> HttpResponseBase:
    """Offer a schedule no more."""
    try:
        found = actions.retire_schedule(actor=actor, schedule_id=schedule_id, now=clock.now())
        messages.success(request, f"Retired {found.name}.")
    except Refused as refusal:
        if refusal.status == 404:
            raise
        messages.error(request, refusal.message)
    return HttpResponseRedirect(reverse("schedule", args=[schedule_id]))


@require_POST
@signed_in(EDIT)
def use_schedule(request: HttpRequest, actor: Actor, schedule_id: int) -> HttpResponseBase:
    """Say whose hours a schedule is."""
    form = UseForm(request.POST)
    if form.carries_out(lambda values: _use(actor, schedule_id, values)):
        messages.success(request, f"{form.cleaned_data['user']} uses it now.")
        return HttpResponseRedirect(reverse("schedule", args=[schedule_id]))
    return _schedule_page(request, actor, schedule_id, form)


def _use(actor: Actor, schedule_id: int, values: Mapping[str, Any]) -> Any:
    kind, name = values["kind"], values["user"].strip()
    record_id = None if kind == "site" else _found(kind, name)
    return actions.use_schedule(
        actor=actor,
        schedule_id=schedule_id,
        kind=kind,
        record_id=record_id,
        site=name if kind == "site" else "",
        since_ever=values["since_ever"],
        now=clock.now(),
    )


def _found(kind: str, name: str) -> int:
    found = list(schedule_queries.RECORDS[kind]._default_manager.filter(name__iexact=name).values_list("pk", flat=True)[:2])
    if len(found) != 1:
        word = schedule_queries.WORDS[kind]
        message = f"{'No' if not found else 'More than one'} {word} is called “{name}”."
        raise Invalid("The schedule is not used.", [FieldError("user", message)])
    return int(found[0])


@require_POST
@signed_in(EDIT)
def unuse_schedule(request: HttpRequest, actor: Actor, schedule_id: int) -> HttpResponseBase:
    """Say that somebody has no hours of its own any more."""
    number = request.POST.get("record", "")
    record = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None
    actions.unuse_schedule(
        actor=actor,
        kind=request.POST.get("kind", ""),
        record_id=record,
        site=request.POST.get("site", "").replace("\x00", ""),
        now=clock.now(),
    )
    messages.success(request, "It is used no more.")
    return HttpResponseRedirect(reverse("schedule", args=[schedule_id]))


@require_GET
@signed_in(READ)
def explain(request: HttpRequest, actor: Actor, schedule_id: int) -> HttpResponseBase:
    """Explain one computation in words and in a picture."""
    found = schedule_queries.schedule(actor, schedule_id)
    hours = schedules.hours_of(schedule_id)
    form = ExplainForm(request.GET or None, initial={"start": local(hours.zone, seconds(clock.now())).replace(tzinfo=None, second=0)})
    shown: dict[str, Any] = {"schedule": found, "zone": hours.zone, "form": form}
    if form.is_bound and form.is_valid():
        shown |= _explained(schedule_id, hours, form.cleaned_data)
    return render(request, "sla/schedule_explain.html", shown, status=200 if form.is_valid() or not form.is_bound else 422)


def _explained(schedule_id: int, hours: OpenHours, values: Mapping[str, Any]) -> dict[str, Any]:
    start = _instant(hours.zone, values["start"])
    end = _instant(hours.zone, values["end"]) if values["end"] else hours.add(start, values["duration"])
    low, high = sorted((start, start if end is None else end))
    versions = schedules.versions_of(schedule_id)
    named = schedule_picture.closings_of(versions, hours.zone, local(hours.zone, low).date(), local(hours.zone, high).date())
    told = explain_elapsed(hours, start, end or start, named) if values["end"] else explain_add(hours, start, values["duration"], named)
    rows = [
        (step.words, _moment(hours.zone, step.start), _moment(hours.zone, step.end), duration_words(step.open_seconds))
        for step in told.steps
    ]
    return {"explained": told, "rows": rows, "lines": schedule_picture.lines_of(hours, told)}


def _instant(zone: str, wall: datetime) -> int:
    return instant_of(ZoneInfo(zone), wall.date(), wall.hour * 3600 + wall.minute * 60 + wall.second)


def _moment(zone: str, at: int) -> str:
    wall = local(zone, at)
    return f"{day_words(wall.date())} {wall:%H:%M:%S}".removesuffix(":00")
