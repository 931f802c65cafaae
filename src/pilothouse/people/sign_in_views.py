"""Sign-in and sign-out.

Other ways in (OpenID Connect, SAML, second factors) will end in `enter`, as the password does: docs/decisions/0005-sign-in.md.
"""

import math

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from pilothouse.people import actions
from pilothouse.people.doors import client_address, safe_address
from pilothouse.people.forms import SignInForm
from pilothouse.people.models import User
from pilothouse.people.queries import actor_of
from pilothouse.platform import clock


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for address and password; too many wrong ones make the next try wait."""
    wanted = safe_address(request, request.POST.get("next") or request.GET.get("next", ""), settings.LOGIN_REDIRECT_URL)
    if request.method == "GET":
        if request.user.is_authenticated:
            return HttpResponseRedirect(wanted)
        return _page(request, SignInForm(), wanted)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _page(request, form, wanted, status=422)
    email, address, now = form.cleaned_data["email"], client_address(request), clock.now()
    if wait := math.ceil(actions.sign_in_waits(email, address, now).total_seconds()):
        return _too_many(request, form, wanted, wait)
    # Counted before the password is looked at, so that many tries at once do not all pass; a good one takes it back.
    actions.note_failed_sign_in(email=email, address=address, now=now, request_id=_request_id(request))
    user = authenticate(request, email=email, password=form.cleaned_data["password"])
    if user is None:
        form.add_error(None, "The e-mail address or the password is wrong, or this person may not sign in.")
        return _page(request, form, wanted, status=422)
    return enter(request, user, wanted)


def enter(request: HttpRequest, user: User, wanted: str) -> HttpResponse:
    """Begin a new session for a person who has shown who they are: its key is new, and it is journalled."""
    login(request, user)
    actor = actor_of(user.pk, request_id=_request_id(request))
    if actor is not None:
        actions.note_sign_in(user_id=user.pk, actor=actor, now=clock.now())
    return HttpResponseRedirect(wanted)


def _request_id(request: HttpRequest) -> str:
    return getattr(request, "request_id", "")


def _too_many(request: HttpRequest, form: SignInForm, wanted: str, seconds: int) -> HttpResponse:
    minutes, rest = divmod(seconds, 60)
    after = f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
    form.add_error(None, f"Too many wrong tries. Try again in {after}, or ask an administrator for a new password.")
    response = _page(request, form, wanted, status=429)
    response["Retry-After"] = str(seconds)
    return response


def _page(request: HttpRequest, form: SignInForm, wanted: str, *, status: int = 200) -> HttpResponse:
    return render(request, "people/sign_in.html", {"form": form, "next": wanted}, status=status)


@never_cache
@require_http_methods(["GET", "POST"])
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; reached by its address, ask first, so that no other site can sign anybody out."""
    actor = getattr(request, "actor", None)
    if request.method == "GET":
        return render(request, "people/sign_out.html") if actor else HttpResponseRedirect(reverse("sign-in"))
    if actor is not None:
        actions.note_sign_out(actor=actor, now=clock.now())
    logout(request)
    messages.success(request, "You are signed out.")
    return HttpResponseRedirect(reverse("sign-in"))
