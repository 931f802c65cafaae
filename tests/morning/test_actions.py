"""Reviews, marks, nudges and mail, through the actions on a real database; clocks are those of a real agreement."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from pilothouse.morning import actions, mailing, queries, telling
from pilothouse.morning.models import MailTime, Mark, Review
from pilothouse.notifications.models import Notification
from pilothouse.people import actions as people
from pilothouse.platform import access, journal
from pilothouse.platform.access import Actor
from pilothouse.platform.refusals import Forbidden, Invalid, Missing
from pilothouse.sla.actions import schedules
from pilothouse.sla.models import Clock
from pilothouse.tickets import actions as tickets
from pilothouse.tickets.models import Ticket
from tests import kept
from tests.organisation import Organisation, set_up, who
from tests.sla.desk_of_agreements import agreement, target

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TUESDAY = datetime(2026, 3, 3, 8, 30, tzinfo=UTC)


def _with_an_agreement() -> Organisation:
    made = set_up()
    agreement(made.adam, "Incidents", target(1, "response", rule="owned"), target(14, "resolution", holds=["vendor"]))
    return made


pytestmark = pytest.mark.django_db
org = kept.for_the_module(_with_an_agreement)


def opened(org: Organisation, *, at: datetime = TUESDAY - timedelta(hours=12), **more: Any) -> Ticket:
    facts = {"title": "VPN", "requester": org.rita.user_id, "group": org.network, **more}
    return tickets.open_ticket(actor=org.ana, now=at, **facts)


def lines(actor: Actor, section: str, now: datetime = TUESDAY) -> list[Any]:
    return list(queries.morning(actor, now=now).section(section).lines)


def verbs(review: Review) -> list[str]:
    return [entry.verb for entry in journal.entries_of("review", review.pk)]


def test_a_ticket_asks_for_its_nearest_target_and_says_how_near(org: Organisation) -> None:
    owned = opened(org, assignee=org.alan.user_id)
    assert {clock.kind: clock.stage for clock in Clock.objects.filter(ticket=owned)} == {"response": "achieved", "resolution": "running"}
    (line,) = lines(org.ana, "act")
    assert (line.number, line.assignee) == (owned.number, "Alan")
    assert line.reason == "2 h left to resolve, due 10:30"
    assert line.acts[0] == "nudge"
    shown = queries.morning(org.ana, now=TUESDAY)
    assert (shown.risk.first, shown.risk.rest, shown.breached) == (1, 0, 0)


def test_what_nobody_owns_past_its_response_target_stands_once(org: Organisation) -> None:
    lost = opened(org)
    (line,) = lines(org.ana, "act")
    assert line.number == lost.number
    assert line.reason == "11 h past its response target"
    assert line.also == ("nobody owns it",)
    assert lines(org.ana, "unowned") == []
    assert queries.morning(org.ana, now=TUESDAY).breached == 1


def test_a_review_begins_with_its_first_mark_and_the_next_counts_from_its_end(org: Organisation) -> None:
    opened(org)
    (line,) = lines(org.ana, "act")
    actions.mark_line(actor=org.ana, key=line.key, now=TUESDAY)
    review = Review.objects.get()
    assert review.since_at == MONDAY.replace(hour=17)
    (done,) = lines(org.ana, "act")
    assert done.done == "done"
    ended = actions.finish_review(actor=org.ana, counts=queries.morning(org.ana, now=TUESDAY).counts, now=TUESDAY + timedelta(minutes=9))
    assert ended.pk == review.pk
    assert ended.counts == {
        **dict.fromkeys(("act", "escalated", "unowned", "holds", "bounced", "breached"), 0),
        "came_in": 1,
        "late": 1,
        "done": 1,
    }
    assert verbs(review) == ["review.started", "review.line_done", "review.finished"]
    later = TUESDAY + timedelta(hours=2)
    again = queries.morning(org.ana, now=later)
    assert again.span.start == ended.finished_at
    assert again.since_words == "your last review, 08:39"
    assert journal.verify(["review"]).breaks == ()


def test_marks_are_ones_own_and_end_with_the_day(org: Organisation) -> None:
    held = opened(org, assignee=org.alan.user_id)
    hold = {"state": "on_hold", "hold_reason": "vendor", "hold_until": TUESDAY - timedelta(hours=1)}
    tickets.move_ticket(actor=org.ana, ticket_id=held.pk, now=TUESDAY - timedelta(hours=11), **hold)
    (line,) = lines(org.ana, "holds")
    actions.mark_line(actor=org.ana, key=line.key, how="called them", now=TUESDAY)
    assert [each.done for each in lines(org.ana, "holds")] == ["called them"]
    assert [each.done for each in lines(org.mona, "holds")] == [""]
    assert [each.done for each in lines(org.ana, "holds", TUESDAY + timedelta(days=1))] == [""]


def test_a_mark_on_a_bounced_ticket_lasts_until_it_bounces_again(org: Organisation) -> None:
    bounced = opened(org)

    def bounce(at: datetime) -> None:
        for group in (org.database, org.network):
            tickets.assign_ticket(actor=org.ana, ticket_id=bounced.pk, group=group, now=at)

    for back in (3, 2):
        bounce(TUESDAY - timedelta(hours=back))
    tickets.assign_ticket(actor=org.ana, ticket_id=bounced.pk, assignee=org.alan.user_id, now=TUESDAY)
    tickets.move_ticket(actor=org.ana, ticket_id=bounced.pk, state="on_hold", hold_reason="vendor", now=TUESDAY)
    (line,) = lines(org.ana, "bounced")
    assert line.reason == "bounced 3 times in 4 reassignments"
    actions.mark_line(actor=org.ana, key=line.key, now=TUESDAY)
    week = TUESDAY + timedelta(days=6)
    assert lines(org.ana, "bounced", week)[0].done
    bounce(week)
    (again,) = [each for key in ("act", "unowned", "bounced") for each in lines(org.ana, key, week) if each.section == "bounced"]
    assert not again.done


def test_taking_a_mark_back_takes_the_act_back_too(org: Organisation) -> None:
    lost = opened(org)
    (line,) = lines(org.ana, "act")
    acting = org.ana.through(access.Source.PAGE, "r1")
    tickets.assign_ticket(actor=acting, ticket_id=lost.pk, group=org.database, now=TUESDAY)
    actions.mark_line(actor=acting, key=line.key, how="assigned to Database", request_id="r1", now=TUESDAY)
    assert actions.unmark_line(actor=org.ana, key=line.key, now=TUESDAY) == ""
    assert Ticket.objects.get(pk=lost.pk).group_id == org.network
    assert not Mark.objects.exists()
    assert verbs(Review.objects.get())[-1] == "review.line_undone"


def test_what_another_changed_meanwhile_is_not_taken_back_and_says_so(org: Organisation) -> None:
    lost = opened(org)
    (line,) = lines(org.ana, "act")
    acting = org.ana.through(access.Source.PAGE, "r1")
    tickets.assign_ticket(actor=acting, ticket_id=lost.pk, group=org.database, now=TUESDAY)
    actions.mark_line(actor=acting, key=line.key, request_id="r1", now=TUESDAY)
    tickets.assign_ticket(actor=org.mona, ticket_id=lost.pk, group=org.desk, now=TUESDAY)
    assert actions.unmark_line(actor=org.ana, key=line.key, now=TUESDAY)
    assert Ticket.objects.get(pk=lost.pk).group_id == org.desk


def test_there_is_one_open_review_a_person(org: Organisation) -> None:
    first = actions.start_review(actor=org.ana, now=TUESDAY)
    assert actions.start_review(actor=org.ana, now=TUESDAY) == first
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.create(person_id=org.ana.user_id, since_at=TUESDAY, started_at=TUESDAY)


def test_a_nudge_is_a_note_and_word_to_who_has_it(org: Organisation) -> None:
    owned = opened(org, assignee=org.alan.user_id)
    actions.nudge_ticket(actor=org.ana, ticket_id=owned.pk, text="@alan where does it stand?", now=TUESDAY)
    note = journal.entries_of("ticket", owned.pk)[-1]
    assert (note.verb, note.private, note.after("mentions")) == ("ticket.noted", True, [org.alan.user_id])
    told = Notification.objects.get(kind=actions.NUDGE)
    assert (told.person_id, told.path) == (org.alan.user_id, f"/tickets/{owned.number}")


def test_a_nudge_without_an_assignee_goes_to_the_leads_and_without_a_group_to_nobody(org: Organisation) -> None:
    lost, unrouted = opened(org), opened(org, group=None)
    members = {"members": [org.alan.user_id or 0, org.olga.user_id or 0], "leads": [org.olga.user_id or 0]}
    people.set_members(actor=org.adam, team_id=org.network, now=TUESDAY, **members)
    actions.nudge_ticket(actor=org.ana, ticket_id=lost.pk, text="Please.", now=TUESDAY)
    assert list(Notification.objects.filter(kind=actions.NUDGE).values_list("person_id", flat=True)) == [org.olga.user_id]
    with pytest.raises(Invalid):
        actions.nudge_ticket(actor=org.ana, ticket_id=unrouted.pk, text="Please.", now=TUESDAY)


def test_tickets_of_a_restricted_team_stay_with_those_who_may_see_them(org: Organisation) -> None:
    hidden = opened(org, group=org.payroll)
    assert lines(org.ana, "act") == []
    assert queries.morning(org.ana, now=TUESDAY).counts["came_in"] == 0
    (line,) = lines(org.mona, "act")
    assert line.number == hidden.number
    with pytest.raises(Missing):
        actions.mark_line(actor=org.ana, key=line.key, now=TUESDAY)


def test_an_agent_reviews_what_is_with_their_teams(org: Organisation) -> None:
    opened(org)
    alan, olga = queries.morning(org.alan, now=TUESDAY), queries.morning(org.olga, now=TUESDAY)
    assert (alan.counts["act"], alan.scope_words) == (1, "Network")
    assert (olga.counts["act"], olga.scope_words) == (0, "Database")


def test_who_may_not_run_a_review_cannot_mark_and_a_requester_has_none(org: Organisation) -> None:
    opened(org)
    (line,) = lines(org.audrey, "act")
    with pytest.raises(Forbidden):
        actions.mark_line(actor=org.audrey, key=line.key, now=TUESDAY)
    with pytest.raises(Forbidden):
        queries.morning(org.rita, now=TUESDAY)


def test_reading_a_review_writes_nothing(org: Organisation) -> None:
    opened(org)
    before = journal.verify().entries
    queries.morning(org.ana, now=TUESDAY)
    assert journal.verify().entries == before
    assert not Review.objects.exists()


def test_tomorrows_holidays_are_those_of_teams_calendars(org: Organisation) -> None:
    definition = {
        "zone": "Europe/London",
        "week": {"mon": "08:00-17:00", "tue": "08:00-17:00"},
        "holidays": [{"country": "GB", "subdivision": "ENG"}],
    }
    made = schedules.add_schedule(actor=org.adam, name="England", definition=definition, now=MONDAY)
    for team in (org.network, org.payroll):
        schedules.use_schedule(actor=org.adam, schedule_id=made.pk, kind="team", record_id=team, now=MONDAY)
    eve = datetime(2026, 12, 24, 8, 30, tzinfo=UTC)
    (day,) = queries.morning(org.ana, now=eve).tomorrow
    assert (day.name, day.kind, day.teams) == ("Christmas Day", "holiday", ("Network",))
    assert queries.morning(org.mona, now=eve).tomorrow[0].teams == ("Network", "Payroll")
    assert queries.morning(org.olga, now=eve).tomorrow == ()
    assert queries.morning(org.ana, now=eve + timedelta(days=10)).tomorrow == ()


def test_mail_goes_once_at_the_time_and_days_one_chose(org: Organisation) -> None:
    lost = opened(org)
    people.change_person(actor=org.adam, user_id=org.ana.user_id or 0, changes={"time_zone": "Europe/Lisbon"}, now=MONDAY)
    ana = who(org.ana.user_id)
    actions.set_mail_time(actor=ana, minute=7 * 60 + 30, days=[1, 2, 3, 4, 5], now=MONDAY)
    assert not mailing.send_due(MONDAY + timedelta(hours=5))
    assert not Notification.objects.filter(kind=mailing.KIND).exists()
    mailing.send_due(TUESDAY.replace(hour=7, minute=30))
    mailing.send_due(TUESDAY.replace(hour=7, minute=31))
    told = Notification.objects.get(kind=mailing.KIND)
    assert told.person_id == ana.user_id
    assert told.subject == "Morning review: 1 came in, 1 breached, 0 at risk before noon"
    assert f"[{lost.number}](/tickets/{lost.number})" in told.text
    assert MailTime.objects.get().next_at == datetime(2026, 3, 4, 7, 30, tzinfo=UTC)
    assert actions.set_mail_time(actor=ana, minute=None, now=TUESDAY) is None
    assert not mailing.send_due(TUESDAY + timedelta(days=7))


def test_mail_that_is_hours_late_waits_for_its_next_day_and_one_who_left_gets_none(org: Organisation) -> None:
    actions.set_mail_time(actor=org.ana, minute=450, now=MONDAY)
    actions.set_mail_time(actor=org.mona, minute=450, now=MONDAY)
    people.change_person(actor=org.adam, user_id=org.mona.user_id or 0, changes={"is_active": False}, now=MONDAY)
    mailing.send_due(TUESDAY.replace(hour=12))
    assert not Notification.objects.filter(kind=mailing.KIND).exists()
    assert MailTime.objects.get(pk=org.ana.user_id).next_at == datetime(2026, 3, 4, 7, 30, tzinfo=UTC)
    assert MailTime.objects.get(pk=org.mona.user_id).next_at is None


@pytest.mark.parametrize(("minute", "days"), [(1440, [1]), (-1, [1]), (450, []), (450, [8])])
def test_a_time_that_is_none_is_refused(org: Organisation, minute: int, days: list[int]) -> None:
    with pytest.raises(Invalid):
        actions.set_mail_time(actor=org.ana, minute=minute, days=days, now=MONDAY)


def test_a_title_cannot_become_markdown(org: Organisation) -> None:
    opened(org, title="[click](https://evil.example) **now** `x` <b>")
    text = telling.as_markdown(queries.morning(org.ana, now=TUESDAY))
    assert "](https://evil.example)" not in text
    assert r"\[click\]\(https://evil.example\) \*\*now\*\* \`x\` \<b\>" in text


def test_a_finished_review_is_ones_own_and_the_overseers(org: Organisation) -> None:
    ended = actions.finish_review(actor=org.ana, counts={"act": 1}, now=TUESDAY)
    for reader in (org.ana, org.mona, org.audrey, org.adam):
        assert queries.finished(reader, ended.pk).review == ended
    for stranger in (org.alan, org.olga):
        with pytest.raises(Missing):
            queries.finished(stranger, ended.pk)
