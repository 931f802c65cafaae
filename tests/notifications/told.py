"""What the served site of the browser tests has been told: called by tests/serve_site.py."""

from datetime import timedelta

from pilothouse.notifications import actions, kinds
from pilothouse.notifications.models import Delivery
from pilothouse.people.models import User
from pilothouse.platform import access, clock

_TEXT = "**30 min** left of 4 h: 2 h 10 on Friday, weekend closed, 1 h 20 on Monday. [The proof](/tickets/INC0000001)"
_LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2


def seed() -> None:
    """Tell Alan much, Mona three things, Ana and Audrey one, Rita and Olga nothing; one delivery of each state; a webhook."""
    kinds.register("probe.alarm", "Probes", about="Something burns.")
    people = {user.email.partition("@")[0]: user.pk for user in User.objects.all()}
    now, system = clock.now(), access.system()

    def tell(who: str, number: int, **more: object) -> None:
        given = {"subject": f"INC000000{number} is due in 30 min", "path": f"/tickets/INC000000{number}", "text": _TEXT, **more}
        at = now - timedelta(minutes=60 - number)
        actions.notify_people(actor=system, people=[people[who]], kind="probe.alarm", now=at, **given)  # type: ignore[arg-type]

    for number in range(1, 10):
        tell("alan", number, urgency="urgent" if number % 4 == 0 else "normal")
    tell("alan", 9, subject=_LONG, text=_LONG, path="")
    for number in range(1, 4):
        tell("mona", number)
    tell("ana", 1)
    tell("audrey", 1)
    actions.add_webhook(actor=system, name="Network in Slack", kind="slack", url="https://hooks.example.org/x", now=now)
    actions.try_webhook(actor=system, webhook_id=1, now=now)
    states = [("sent", ""), ("failed", "The mail server said 550 no such mailbox"), ("dropped", "The person is no longer active.")]
    for delivery, (state, said) in zip(Delivery.objects.order_by("id"), states, strict=False):
        Delivery.objects.filter(pk=delivery.pk).update(state=state, last_error=said, ended_at=now, attempts=3)
