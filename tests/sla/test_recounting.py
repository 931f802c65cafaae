"""Recounting as the worker does it: one that counts every ticket spares those that waited."""

from datetime import timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from pilothouse.platform import jobs as platform_jobs
from pilothouse.sla import jobs
from pilothouse.sla.actions.agreements import add_agreement, change_agreement
from pilothouse.sla.models import Clock
from pilothouse.tickets import actions as tickets
from tests.organisation import NOW, Organisation, set_up
from tests.sla.desk_of_agreements import definition, target


@pytest.fixture
def org(db: None) -> Organisation:
    return set_up()


def _todo() -> list[ProcrastinateJob]:
    while platform_jobs.relay():
        pass
    return list(ProcrastinateJob.objects.filter(task_name="sla.recount", status="todo").order_by("id"))


def test_one_that_counts_everything_does_the_work_of_those_that_wait(org: Organisation) -> None:
    ticket = tickets.open_ticket(actor=org.ana, title="VPN drops", group=org.network, now=NOW)
    for name in ("Gold", "Silver", "Bronze"):
        add_agreement(actor=org.adam, name=name, definition=definition(target(4)), now=NOW + timedelta(hours=1), since_ever=True)
    first, *others = _todo()
    assert len(others) == 2 and not Clock.objects.exists()
    jobs.recount(**first.args)
    assert Clock.objects.get().ticket_id == ticket.pk
    assert [job.pk for job in _todo()] in ([], [first.pk])  # a worker ends the one that it does by itself


def test_one_that_counts_a_part_leaves_the_others_to_their_work(org: Organisation) -> None:
    made = [
        add_agreement(actor=org.adam, name=name, definition=definition(target(4)), now=NOW, since_ever=True) for name in ("Gold", "Iron")
    ]
    ProcrastinateJob.objects.filter(pk__in=[job.pk for job in _todo()]).delete()
    for each in made:
        change_agreement(actor=org.adam, agreement_id=each.pk, definition=definition(target(8)), now=NOW + timedelta(hours=2))
    first, second = _todo()
    jobs.recount(**first.args)
    assert second.pk in [job.pk for job in _todo()]
