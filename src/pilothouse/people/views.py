"""People and teams: lists, pages, and what administrators and team leads change."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pilothouse.people import actions, queries
from pilothouse.people.doors import signed_in
from pilothouse.people.forms import MemberForm, NewPasswordForm, NewPersonForm, PersonForm, TeamForm
from pilothouse.people.models import Membership, Team, User
from pilothouse.platform import clock, journal, keyset, retelling
from pilothouse.platform.access import Actor, Capability, Role
from pilothouse.platform.forms import RefusableForm
from pilothouse.platform.refusals import Forbidden
from pilothouse.platform.time_zones import offered_zones

READ, MANAGE = Capability.READ_PEOPLE, Capability.MANAGE_PEOPLE
_SHOWN_ENTRIES = 30


@require_GET
@signed_in(READ)
def people(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """List people, narrowed by words, role, team and whether they may sign in."""
    asked = {name: request.GET.get(name, "").strip()[:200] for name in ("q", "role", "team", "active")}
    found = _narrowed(queries.people(actor, text=asked["q"].replace("\x00", "")), asked)
    page = keyset.page(found.prefetch_related("teams"), request.GET.get("page", ""), keys=("name", "id"))
    shown = {
        "page": page,
        "asked": asked,
        "count": found.count(),
        "roles": list(Role),
        "teams": queries.teams(actor),
        "query": _query(asked),
        "may_manage": actor.can(MANAGE),
    }
    return render(request, "people/people.html", shown)


def _narrowed(found: "QuerySet[User]", asked: dict[str, str]) -> "QuerySet[User]":
    if asked["role"] in list(Role):
        found = found.filter(role=asked["role"])
    if asked["team"].isascii() and asked["team"].isdigit():
        found = found.filter(memberships__team_id=int(asked["team"]))
    return found if asked["active"] == "all" else found.filter(is_active=asked["active"] != "no")


def _query(asked: dict[str, str]) -> str:
    return urlencode({name: value for name, value in asked.items() if value})


@require_GET
@signed_in(READ)
def person(request: HttpRequest, actor: Actor, user_id: int) -> HttpResponseBase:
    """Show a person: facts, teams, and what was done to the record."""
    found = queries.person(actor, user_id)
    shown = {
        "person": found,
        "memberships": found.memberships.select_related("team").order_by("team__name"),
        "lines": _lines("person", user_id) if user_id == actor.user_id or queries.oversees_people(actor) else None,
        "may_manage": actor.can(MANAGE),
        "password_form": NewPasswordForm(),
    }
    return render(request, "people/person.html", shown)


def _lines(kind: str, record_id: int) -> Sequence[retelling.Told]:
    return retelling.retell(list(reversed(journal.entries_of(kind, record_id)))[:_SHOWN_ENTRIES])


def _form_page(request: HttpRequest, form: RefusableForm, *, title: str, back_to: str, button: str) -> HttpResponse:
    shown = {"form": form, "title": title, "back_to": back_to, "button": button, "zones": offered_zones()}
    return render(request, "people/edit.html", shown, status=form.answer_status)


def _typed(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _shown_values(record: User | Team, form: type[RefusableForm]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in form.base_fields}


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@signed_in(MANAGE)
def new_person(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Add a person."""
    form = NewPersonForm(_typed(request))

    def add(values: dict[str, Any]) -> User:
        more = {**values, "password": values["password"] or None, "teams": [team.pk for team in values["teams"]]}
        return actions.add_person(actor=actor, now=clock.now(), **more)

    if form.is_bound and form.carries_out(add):
        messages.success(request, f"Added {form.result.name}.")
        return HttpResponseRedirect(reverse("person", args=[form.result.pk]))
    return _form_page(request, form, title="New person", back_to=reverse("people"), button="Add the person")


@require_http_methods(["GET", "POST"])
@signed_in(MANAGE)
def edit_person(request: HttpRequest, actor: Actor, user_id: int) -> HttpResponseBase:
    """Change a person's facts, role and whether they may sign in."""
    found = queries.person(actor, user_id)
    here = reverse("person", args=[user_id])
    form = PersonForm(_typed(request), initial=_shown_values(found, PersonForm))
    if form.is_bound and form.carries_out(
        lambda values: actions.change_person(actor=actor, user_id=user_id, changes=values, now=clock.now())
    ):
        messages.success(request, f"Changed {form.result.name}.")
        return HttpResponseRedirect(here)
    return _form_page(request, form, title=f"Edit {found.name}", back_to=here, button="Save")


@sensitive_post_parameters()
@require_POST
@signed_in(MANAGE)
def set_password(request: HttpRequest, actor: Actor, user_id: int) -> HttpResponseBase:
    """Set a person's password; all their sessions end."""
    found = queries.person(actor, user_id)
    here = reverse("person", args=[user_id])
    form = NewPasswordForm(request.POST)
    if form.carries_out(lambda values: actions.set_password(actor=actor, user_id=user_id, password=values["password"], now=clock.now())):
        messages.success(request, f"{found.name} has a new password; their sessions have ended.")
        return HttpResponseRedirect(here)
    return _form_page(request, form, title=f"Password of {found.name}", back_to=here, button="Set the password")


@require_GET
@signed_in(READ)
def teams(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """List teams with how many people they have."""
    everyone = request.GET.get("active") == "all"
    found = queries.teams(actor, active=None if everyone else True)
    shown = found.annotate(size=Count("memberships"), lead_count=Count("memberships", filter=Q(memberships__is_lead=True))).order_by("name")
    return render(
        request, "people/teams.html", {"teams": shown, "everyone": everyone, "may_manage": actor.can(MANAGE), "mine": actor.team_ids}
    )


@require_GET
@signed_in(READ)
def team(request: HttpRequest, actor: Actor, team_id: int) -> HttpResponseBase:
    """Show a team: its facts, its members, and what was done to it."""
    return _team_page(request, actor, team_id, MemberForm())


def _team_page(request: HttpRequest, actor: Actor, team_id: int, form: MemberForm, *, status: int = 200) -> HttpResponse:
    found = queries.team(actor, team_id)
    members = Membership.objects.filter(team_id=team_id).select_related("user").order_by("-is_lead", "user__name")
    shown = {
        "team": found,
        "members": members,
        "form": form,
        "lines": _lines("team", team_id),
        "may_manage": actor.can(MANAGE),
        "may_lead": actor.can(MANAGE) or _leads(actor, team_id),
    }
    return render(request, "people/team.html", shown, status=status)


def _leads(actor: Actor, team_id: int) -> bool:
    if actor.user_id is None or not actor.is_staff:
        return False
    return Membership.objects.filter(team_id=team_id, user_id=actor.user_id, is_lead=True).exists()


@require_http_methods(["GET", "POST"])
@signed_in(MANAGE)
def new_team(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Add a resolver group."""
    form = TeamForm(_typed(request))
    if form.is_bound and form.carries_out(lambda values: actions.add_team(actor=actor, now=clock.now(), **values)):
        messages.success(request, f"Added {form.result.name}.")
        return HttpResponseRedirect(reverse("team", args=[form.result.pk]))
    return _form_page(request, form, title="New team", back_to=reverse("teams"), button="Add the team")


@require_http_methods(["GET", "POST"])
@signed_in(MANAGE)
def edit_team(request: HttpRequest, actor: Actor, team_id: int) -> HttpResponseBase:
    """Change a team's facts."""
    found = queries.team(actor, team_id)
    here = reverse("team", args=[team_id])
    form = TeamForm(_typed(request), initial=_shown_values(found, TeamForm))
    if form.is_bound and form.carries_out(
        lambda values: actions.change_team(actor=actor, team_id=team_id, changes=values, now=clock.now())
    ):
        messages.success(request, f"Changed {form.result.name}.")
        return HttpResponseRedirect(here)
    return _form_page(request, form, title=f"Edit {found.name}", back_to=here, button="Save")


@require_POST
@signed_in(READ)
def members(request: HttpRequest, actor: Actor, team_id: int) -> HttpResponseBase:
    """Add a member by e-mail address, make one a lead or no longer, or remove one; for leads of the team and administrators."""
    found = queries.team(actor, team_id)
    if not (actor.can(MANAGE) or _leads(actor, team_id)):
        raise Forbidden("Members are set by the team's leads and by administrators.")
    now_in = {m.user_id: m.is_lead for m in Membership.objects.filter(team_id=team_id)}
    form = MemberForm(request.POST)
    if request.POST.get("do", "add") == "add":
        person = form.person() if form.is_valid() else None
        if person is None:
            if form.is_valid():
                form.add_error("email", "Nobody has this address.")
            return _team_page(request, actor, team_id, form, status=422)
        now_in.setdefault(person.pk, False)
    else:
        _set_member(now_in, request.POST.get("do", ""), request.POST.get("user", ""))
    leads = [user_id for user_id, lead in now_in.items() if lead]
    actions.set_members(actor=actor, team_id=team_id, members=now_in, leads=leads, now=clock.now())
    messages.success(request, f"The members of {found.name} are changed.")
    return HttpResponseRedirect(reverse("team", args=[team_id]))


def _set_member(now_in: dict[int, bool], what: str, user: str) -> None:
    user_id = int(user) if user.isascii() and user.isdigit() else 0
    if user_id not in now_in:
        return
    if what == "remove":
        del now_in[user_id]
    elif what in ("lead", "unlead"):
        now_in[user_id] = what == "lead"
