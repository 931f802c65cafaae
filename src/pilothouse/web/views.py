"""Pages and small endpoints of the shell itself: colours, the palette's entries, the design system on show."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from pilothouse.web import palette
from pilothouse.web.context import THEMES, signed_in

A_YEAR_SECONDS = 365 * 86400
SAMPLE = "It fails with **error 720**:\n\n```\nrasdial: error 720\n```\n\n- since Friday\n- only on macOS\n\n> It worked before."


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the reader's choice of colours in a cookie, so that the first paint is already right."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    response = HttpResponseRedirect(target)
    choice = request.POST.get("theme", "auto")
    response.set_cookie("theme", choice if choice in THEMES else "auto", max_age=A_YEAR_SECONDS, samesite="Lax", secure=request.is_secure())
    return response


@require_GET
def palette_entries(request: HttpRequest) -> JsonResponse:
    """Answer what the palette offers for the words typed so far; nothing to a stranger."""
    actor = signed_in(request)
    groups = palette.entries(actor, request.GET.get("q", "")) if actor else []
    return JsonResponse({"groups": groups})


@require_GET
def design(request: HttpRequest) -> HttpResponse:
    """Show every part of the design system, for those who build pages and for the accessibility test."""
    return render(request, "web/design.html", {"prose": SAMPLE})
