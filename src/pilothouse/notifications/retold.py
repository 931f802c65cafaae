"""How webhooks and deliveries are spoken of in the journal."""

from collections.abc import Iterable

from django.urls import reverse

from pilothouse.notifications.models import Delivery, Webhook
from pilothouse.platform import retelling


def _deliveries(ids: Iterable[int]) -> dict[int, str]:
    found = Delivery.objects.filter(pk__in=list(ids)).values_list("id", "notification__subject")
    return dict(found)


retelling.register(
    "webhook",
    retelling.Kind(
        "webhook",
        lambda ids: dict(Webhook.objects.filter(pk__in=list(ids)).values_list("id", "name")),
        lambda pk, name: reverse("webhooks"),
        {},
        {"webhook.added": "added", "webhook.changed": "changed", "webhook.retired": "retired", "webhook.tried": "tried"},
    ),
)
retelling.register(
    "delivery",
    retelling.Kind("delivery", _deliveries, lambda pk, name: reverse("deliveries"), {}, {"delivery.retried": "tried again"}),
)
