"""One's own profile: facts, password, API tokens."""

import math
from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from pilothouse.people import actions, queries
from pilothouse.people.doors import client_address, signed_in
from pilothouse.people.forms import PasswordForm, ProfileForm, TokenForm
from pilothouse.people.models import User
from pilothouse.platform import clock
from pilothouse.platform.access import Actor
from pilothouse.platform.time_zones import offered_zones

_OWN = ("name", "title", "phone", "time_zone")


def _me(actor: Actor) -> User:
    assert actor.user_id is not None  # the door lets nobody else in
    return queries.person(actor, actor.user_id)


def _page(request: HttpRequest, actor: Actor, *, status: int = 200, **forms: object) -> HttpResponse:
    me = _me(actor)
    shown = {
        "me": me,
        "teams": me.teams.all(),
        "form": ProfileForm(initial={name: getattr(me, name) for name in _OWN}),
        "token_form": TokenForm(role=actor.role, auto_id="token_%s"),
        "tokens": queries.tokens(actor),
        "zones": offered_zones(),
        "now": clock.now(),
        **forms,
    }
    return render(request, "people/profile.html", shown, status=status)


@require_http_methods(["GET", "POST"])
@signed_in()
def profile(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Show and change one's own facts."""
    if request.method == "GET":
        return _page(request, actor)
    form, own_id = ProfileForm(request.POST), _me(actor).pk
    if not form.carries_out(lambda values: actions.change_person(actor=actor, user_id=own_id, changes=values, now=clock.now())):
        return _page(request, actor, form=form, status=form.answer_status)
    messages.success(request, "Saved.")
    return HttpResponseRedirect(reverse("profile"))


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@signed_in()
def password(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Change one's own password; every other session ends with the old one."""
    form = PasswordForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = _change_password(request, actor, form)
        if status == 200:
            messages.success(request, "Your password is changed. Other sessions of yours have ended.")
            return HttpResponseRedirect(reverse("profile"))
    return render(request, "people/password.html", {"form": form, "me": _me(actor)}, status=status)


def _change_password(request: HttpRequest, actor: Actor, form: PasswordForm) -> int:
    """Check the present password, throttled like a sign-in, and set the new one; returns the answer's status."""
    me, now, address = _me(actor), clock.now(), client_address(request)
    if not form.is_valid():
        return 422
    if wait := math.ceil(actions.sign_in_waits(me.email, address, now).total_seconds()):
        form.add_error("current", f"Too many wrong tries. Try again in {math.ceil(wait / 60)} min.")
        return 429
    if not me.check_password(form.cleaned_data["current"]):
        actions.note_failed_sign_in(email=me.email, address=address, now=now, request_id=actor.request_id)
        form.add_error("current", "This is not your password.")
        return 422
    if not form.carries_out(lambda values: actions.set_password(actor=actor, user_id=me.pk, password=values["password"], now=now)):
        return form.answer_status
    update_session_auth_hash(request, _me(actor))
    return 200


@never_cache
@require_POST
@signed_in()
def issue(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Issue an API token and show its secret, this once; it is written nowhere."""
    form = TokenForm(request.POST, role=actor.role, auto_id="token_%s")

    def issue_it(values: dict[str, Any]) -> actions.NewToken:
        chosen = {"days": values["days"] or None, "scopes": values["scopes"] or None}
        return actions.issue_token(actor=actor, name=values["name"], now=clock.now(), **chosen)

    if not form.carries_out(issue_it):
        return _page(request, actor, token_form=form, status=form.answer_status)
    return _page(request, actor, made=form.result, status=201)


@require_POST
@signed_in()
def revoke(request: HttpRequest, actor: Actor, token_id: int) -> HttpResponseBase:
    """Revoke a token."""
    actions.revoke_token(actor=actor, token_id=token_id, now=clock.now())
    messages.success(request, "The token is revoked. Whatever used it is refused from now on.")
    return HttpResponseRedirect(reverse("profile") + "#tokens")
