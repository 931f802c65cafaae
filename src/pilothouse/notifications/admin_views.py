"""Webhooks and the delivery log, for administrators."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pilothouse.notifications import actions, kinds, queries
from pilothouse.notifications.forms import WebhookChangeForm, WebhookForm
from pilothouse.notifications.models import Delivery, Webhook
from pilothouse.people.doors import signed_in
from pilothouse.platform import clock, keyset
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import GuardRefused

_door = signed_in(Capability.CONFIGURE)


def _webhooks_page(request: HttpRequest, actor: Actor, form: WebhookForm, *, status: int = 200, **more: object) -> HttpResponse:
    found = queries.webhooks(actor)
    last = queries.last_deliveries(found)
    shown = {"lines": [(each, last.get(each.pk)) for each in found], "form": form, **more}
    return render(request, "notifications/webhooks.html", shown, status=status)


@sensitive_post_parameters("url")
@never_cache
@require_http_methods(["GET", "POST"])
@_door
def webhooks(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """List webhooks and add one; the key that signs JSON is shown this once."""
    if request.method == "GET":
        return _webhooks_page(request, actor, WebhookForm())
    form = WebhookForm(request.POST)

    def add(values: dict[str, Any]) -> tuple[Webhook, str]:
        return actions.add_webhook(actor=actor, now=clock.now(), **values)

    if not form.carries_out(add):
        return _webhooks_page(request, actor, form, status=form.answer_status)
    made, key = form.result
    if made.kind == Webhook.Kind.JSON:
        return _webhooks_page(request, actor, WebhookForm(), status=201, made=made, key=key)
    messages.success(request, f"Added “{made.name}”. Try it to see whether it arrives.")
    return HttpResponseRedirect(reverse("webhooks"))


@sensitive_post_parameters("url")
@require_http_methods(["GET", "POST"])
@_door
def webhook(request: HttpRequest, actor: Actor, webhook_id: int) -> HttpResponseBase:
    """Rename a webhook or give it another address."""
    found = queries.webhook(actor, webhook_id)
    form = WebhookChangeForm(request.POST if request.method == "POST" else None, initial={"name": found.name})
    if form.is_bound and form.carries_out(
        lambda values: actions.change_webhook(actor=actor, webhook_id=webhook_id, now=clock.now(), **values)
    ):
        messages.success(request, f"Changed “{form.result.name}”.")
        return HttpResponseRedirect(reverse("webhooks"))
    return render(request, "notifications/webhook.html", {"webhook": found, "form": form}, status=form.answer_status)


@require_POST
@_door
def try_webhook(request: HttpRequest, actor: Actor, webhook_id: int) -> HttpResponseBase:
    """Send a webhook a message to see whether it arrives."""
    name = queries.webhook(actor, webhook_id).name
    actions.try_webhook(actor=actor, webhook_id=webhook_id, now=clock.now())
    messages.success(request, f"A message is on its way to “{name}”. How it went stands here in a moment.")
    return HttpResponseRedirect(reverse("webhooks"))


@require_POST
@_door
def retire_webhook(request: HttpRequest, actor: Actor, webhook_id: int) -> HttpResponseBase:
    """Retire a webhook."""
    gone = actions.retire_webhook(actor=actor, webhook_id=webhook_id, now=clock.now())
    messages.success(request, f"Retired “{gone.name}”. Its address is forgotten.")
    return HttpResponseRedirect(reverse("webhooks"))


@require_GET
@_door
def deliveries(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Show how messages left the house, newest first."""
    asked = {name: request.GET.get(name, "").strip()[:200].replace("\x00", "") for name in ("q", "state", "channel")}
    state = asked["state"] if asked["state"] in Delivery.State.values else ""
    channel = asked["channel"] if asked["channel"] in Delivery.Channel.values else ""
    found = queries.deliveries(actor, state=state, channel=channel, text=asked["q"])
    page = keyset.page(found, request.GET.get("page", ""), keys=("id",), descending=True)
    shown = {
        "page": page,
        "lines": [(each, kinds.get(each.notification.kind).word) for each in page.rows],
        "asked": asked,
        "query": urlencode({name: value for name, value in asked.items() if value}),
        "states": Delivery.State.choices,
        "channels": Delivery.Channel.choices,
        "counts": queries.delivery_counts(clock.now()),
    }
    return render(request, "notifications/deliveries.html", shown)


@require_POST
@_door
def retry(request: HttpRequest, actor: Actor, delivery_id: int) -> HttpResponseBase:
    """Try a delivery again that failed or was dropped."""
    try:
        actions.retry_delivery(actor=actor, delivery_id=delivery_id, now=clock.now())
        messages.success(request, "It is tried again at once.")
    except GuardRefused as refusal:
        messages.error(request, refusal.message)
    return HttpResponseRedirect(reverse("deliveries"))


@require_POST
@_door
def retry_failed(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Try again all that failed within a week."""
    count = actions.retry_failed_deliveries(actor=actor, now=clock.now())
    messages.success(request, f"{count} are tried again." if count else "Nothing failed within a week.")
    return HttpResponseRedirect(reverse("deliveries"))


@require_POST
@_door
def try_mail(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Mail the administrator a message."""
    actions.try_mail(actor=actor, now=clock.now())
    messages.success(request, "A mail to you is on its way. How it went stands here in a moment.")
    return HttpResponseRedirect(reverse("deliveries"))
