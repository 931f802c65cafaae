"""The site of tests/serve_site.py after a night: an agreement since ever, a late ticket, a near one, a hold that ran out, a bounced one, an
escalation. Olga's team has nothing: her morning is quiet."""

from tests import serve_site  # isort: split

from datetime import timedelta
from zoneinfo import ZoneInfo

from pilothouse.people.models import Team, User
from pilothouse.people.queries import actor_of
from pilothouse.platform import access, clock
from pilothouse.platform.access import Actor
from pilothouse.sla.actions import schedules
from pilothouse.sla.actions.escalating import take_due_steps
from pilothouse.tickets import actions
from tests.sla.desk_of_agreements import agreement, target

_seed_site = serve_site.seed
LONG = "Nobody at the branch in Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch can print a policy document since the update"


def seed() -> dict[str, str]:
    """Seed the site as ever, end the tickets that it has, then let a night pass."""
    sessions = _seed_site()
    now, adam = clock.now(), _actor("adam")
    for ticket in list(serve_site.Ticket.objects.filter(kind__in=("incident", "request"))):
        actions.move_ticket(actor=adam, ticket_id=ticket.pk, state="cancelled", note="Before the night.", now=now - timedelta(days=6))
    steps = [{"share": 0.5, "tell": ["assignee", "lead"], "any_hours": True}]
    targets = (target(2, "response", rule="owned"), target(12, "resolution", holds=["vendor"], steps=steps))
    agreement(adam, "Incidents", *targets, now=now - timedelta(days=7))
    _night(adam)
    _holiday(adam)
    return sessions


def _actor(handle: str) -> Actor:
    found = actor_of(User.objects.get(email=f"{handle}@example.org").pk)
    assert found is not None
    return found


def _night(adam: Actor) -> None:
    now = clock.now()
    teams = {team.name: team.pk for team in Team.objects.all()}
    alan = User.objects.get(email="alan@example.org")
    facts = {"group": teams["Network"], "requester": User.objects.get(email="rita@example.org").pk, "impact": 2, "urgency": 2}

    def opened(title: str, hours: float, **more: object) -> serve_site.Ticket:
        return actions.open_ticket(actor=adam, title=title, now=now - timedelta(hours=hours), **{**facts, **more})

    opened("Claims portal is slow", 3)
    opened(LONG, 2.5, impact=1)
    opened("Payroll export empty", 11.5, assignee=alan.pk)
    held = opened("Badge reader, gate 2", 10, assignee=alan.pk)
    hold = {"state": "on_hold", "hold_reason": "vendor", "hold_until": now - timedelta(hours=1)}
    actions.move_ticket(actor=adam, ticket_id=held.pk, now=now - timedelta(hours=9), **hold)
    bounced = opened("Core switch B flapping", 0.5)
    for group in ("Workplace", "Network", "Workplace", "Network"):
        actions.assign_ticket(actor=adam, ticket_id=bounced.pk, group=teams[group], now=now - timedelta(minutes=20))
    opened("Policy batch stuck in step 4", 6.5, assignee=alan.pk)
    take_due_steps(actor=access.system(), now=now)


def _holiday(adam: Actor) -> None:
    now = clock.now()
    tomorrow = now.astimezone(ZoneInfo("UTC")).date() + timedelta(days=1)
    own = [{"date": tomorrow.isoformat(), "name": "Founders' day"}]
    week = {"mon": "08:00-17:00", "tue": "08:00-17:00", "wed": "08:00-17:00", "thu": "08:00-17:00", "fri": "08:00-17:00"}
    made = schedules.add_schedule(actor=adam, name="Network hours", definition={"zone": "UTC", "week": week, "days": own}, now=now)
    schedules.use_schedule(actor=adam, schedule_id=made.pk, kind="team", record_id=Team.objects.get(name="Network").pk, now=now)


serve_site.seed = seed

if __name__ == "__main__":
    serve_site.main()
