"""Matching: what is sure is linked, what is likely proposed, the rest left alone; with reasons, quickly."""

import random
import time
from datetime import timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from pilothouse.platform import access, jobs, journal
from pilothouse.platform.refusals import Forbidden, GuardRefused, Missing
from pilothouse.problems import actions, matching_data, problem_jobs
from pilothouse.problems.engine.matching import Matcher, from_data, learn, terms_of
from pilothouse.problems.engine.matching import Signature as Learnt
from pilothouse.problems.engine.readings import Readers, learn_readings, read
from pilothouse.problems.match_panel import in_the_portal
from pilothouse.problems.models import Match, Signature
from pilothouse.tickets import actions as tickets
from pilothouse.tickets.models import Link, Ticket
from pilothouse.tickets.portal_page import as_requester
from tests.organisation import NOW, Organisation, set_up

SYSTEM = access.system()
THINGS = (
    "printer",
    "password",
    "mailbox",
    "monitor",
    "keyboard",
    "licence",
    "spreadsheet",
    "badge",
    "phone",
    "report",
    "invoice",
    "camera",
)
WOES = ("does not work", "is slow", "shows an error", "is missing", "needs help", "was changed", "broke", "cannot be opened", "is locked")
TOLD = ("VaultKeep 7.4.2 backup failed on {}", "backup of {} failed: VaultKeep 7.4.2 aborted", "VaultKeep backup job failed again, host {}")


def ordinary(draw: random.Random) -> str:
    return f"{draw.choice(THINGS)} {draw.choice(WOES)} in room {draw.randrange(400)}, {draw.choice(THINGS)} too"


def backup(draw: random.Random) -> str:
    return draw.choice(TOLD).format(f"lds-{draw.randrange(90):03}")


def signature(draw: random.Random, own: int = 30, others: int = 1500) -> Learnt:
    facts = {"os build": "26100"}
    mine = [terms_of(backup(draw), facts=facts) for _ in range(own)]
    theirs = [terms_of(ordinary(draw), facts={"os build": draw.choice(("26100", "22631", "19045"))}) for _ in range(others)]
    found = learn(mine, theirs, own / (own + others))
    assert found is not None
    return found


def test_its_own_are_sure_and_ordinary_ones_are_left_alone() -> None:
    draw = random.Random(1)
    matcher = Matcher({7: signature(draw)})
    own = [matcher.match(terms_of(backup(draw), facts={"os build": "26100"})) for _ in range(200)]
    assert sum(bool(found) and found[0].is_sure for found in own) >= 190
    assert not any(matcher.match(terms_of(ordinary(draw), facts={"os build": "26100"})) for _ in range(1000))


def test_a_typo_and_another_order_of_words_do_not_matter() -> None:
    matcher = Matcher({7: signature(random.Random(2))})
    found = matcher.match(terms_of("failed bakup, Vaultkep 7.4.2 on srv-9"))
    assert found and "vaultkeep" in found[0].reason and "with" in found[0].reason and "of 30" in found[0].reason


def test_who_tells_only_a_title_is_matched_and_other_titles_of_the_service_are_not() -> None:
    draw = random.Random(10)
    known = {"CI": "vault-1", "role": "backup", "os": "Linux 6", "category": "Data", "subcategory": "Backup"}
    told = "The job of last night ended with error E-1711; nothing was written to the library, and the icon is red."
    own = [read(backup(draw), told, {"service": "Backup and restore", **known}) for _ in range(20)]
    others = [read(ordinary(draw), "Since this morning.", {"service": draw.choice(THINGS), "category": "Other"}) for _ in range(800)]
    others += [read(f"Please restore my {draw.choice(THINGS)}", "", {"service": "Backup and restore"}) for _ in range(40)]
    readers = Readers({7: learn_readings(own, others, 0.02)})
    brief = [readers.match(read(backup(draw), "", {"service": "Backup and restore"})) for _ in range(50)]
    assert all(found and found[0].is_sure for found in brief)
    assert all(readers.match(read(backup(draw), told, {"service": "Backup and restore"}))[0].is_sure for _ in range(50))
    foreign = [
        read(f"Please restore the {draw.choice(THINGS)} {draw.choice(WOES)}", "", {"service": "Backup and restore"}) for _ in range(50)
    ]
    assert not any(readers.match(each) for each in foreign)
    elsewhere = read("VaultKeep icon in the task bar", "", {"service": "phone", "CI": "ws-1", "subcategory": "Other"})
    assert not readers.match(elsewhere)  # its whole is known, so that only the whole counts


def test_too_little_teaches_nothing_and_what_is_kept_comes_back_the_same() -> None:
    draw = random.Random(3)
    assert learn([terms_of("a b c")] * 2, [terms_of("d")], 0.1) is None
    found = signature(draw)
    assert from_data(found.as_data()) == found


def test_five_hundred_problems_answer_within_20_ms() -> None:
    draw = random.Random(4)
    names = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=8)) for _ in range(3000)]
    others = [terms_of(" ".join(draw.choices(names, k=12))) for _ in range(300)]
    signatures = {}
    for problem in range(500):
        core = draw.choices(names, k=8)
        own = [terms_of(" ".join([*core, *draw.choices(names, k=6)]), facts={"CI": f"srv-{problem}"}) for _ in range(6)]
        found = learn(own, others, 0.01)
        assert found is not None
        signatures[problem] = found
    matcher = Matcher(signatures)
    asked = [terms_of(" ".join(draw.choices(names, k=40))) for _ in range(100)]
    began = time.perf_counter()
    for terms in asked:
        matcher.match(terms)
    assert (time.perf_counter() - began) / len(asked) < 0.02


@pytest.fixture
def org(db: None) -> Organisation:
    return set_up()


def opened(org: Organisation, title: str, **more: object) -> Ticket:
    return tickets.open_ticket(actor=org.ana, title=title, requester=org.rita.user_id, now=NOW, **more)


def known_error(org: Organisation, draw: random.Random) -> Ticket:
    """A known error that has learnt from thirty incidents among six hundred ordinary ones."""
    made = tickets.open_tickets(actor=org.ana, now=NOW, tickets=[{"title": ordinary(draw)} for _ in range(600)])
    made = tickets.open_tickets(actor=org.ana, now=NOW, tickets=[{"title": backup(draw), "ci": org.ci} for _ in range(30)])
    problem = actions.open_problem(actor=org.ana, now=NOW, title="Backups fail", ticket_ids=[one.pk for one in made], group=org.network)
    actions.declare_known_error(actor=org.ana, problem_id=problem.pk, workaround="Restart the **agent**.", now=NOW)
    assert actions.learn_signature(actor=SYSTEM, problem_id=problem.pk, now=NOW) is not None
    return problem


def test_new_incidents_are_linked_or_proposed_and_told_why(org: Organisation) -> None:
    draw = random.Random(5)
    problem = known_error(org, draw)
    sure = opened(org, "VaultKeep 7.4.2 backup failed on lds-007", ci=org.ci)
    [match] = actions.match_ticket(actor=SYSTEM, ticket_id=sure.pk, now=NOW)
    assert match.state == "linked" and "vaultkeep" in match.reason and "same CI vpn-gw-01 as 30 of 30" in match.reason
    assert Link.objects.filter(ticket=sure, relation="caused_by", target=problem).exists()
    entry, offer = journal.entries_of("ticket", sure.pk)[-2:]
    assert entry.verb == "ticket.gathered" and entry.private and match.reason in entry.note
    assert offer.verb == "problem.workaround_offered" and not offer.private and not offer.changes and not offer.note
    assert actions.match_ticket(actor=SYSTEM, ticket_id=sure.pk, now=NOW) == []  # once is enough
    told = in_the_portal(as_requester(org.rita), sure)
    assert told == {"workarounds": ["Restart the **agent**."]}
    other = opened(org, ordinary(draw))
    assert actions.match_ticket(actor=SYSTEM, ticket_id=other.pk, now=NOW) == [] and in_the_portal(as_requester(org.rita), other) == {}
    actions.withdraw_known_error(actor=org.ana, problem_id=problem.pk, note="It does not help.", now=NOW)
    assert in_the_portal(as_requester(org.rita), sure) == {}  # of what is no known error the requester learns nothing


def test_a_proposal_is_answered_by_who_may(org: Organisation) -> None:
    problem = known_error(org, random.Random(6))
    ticket = opened(org, "VaultKeep cannot be opened", group=org.network)
    match = Match.objects.create(ticket=ticket, problem=problem, score=3, reason="shares “vaultkeep” with 30 of 30", found_at=NOW)
    with pytest.raises(Missing):
        actions.answer_match(actor=org.rita, match_id=match.pk, accept=True, now=NOW)
    with pytest.raises(Forbidden):
        actions.answer_match(actor=org.olga, match_id=match.pk, accept=True, now=NOW)
    actions.answer_match(actor=org.alan, match_id=match.pk, accept=True, now=NOW)
    assert Link.objects.filter(ticket=ticket, target=problem).exists()
    with pytest.raises(GuardRefused):
        actions.answer_match(actor=org.alan, match_id=match.pk, accept=True, now=NOW)
    actions.answer_match(actor=org.alan, match_id=match.pk, accept=False, now=NOW)
    assert not Link.objects.filter(ticket=ticket, target=problem).exists()
    assert not journal.verify(["ticket"]).breaks


def test_open_problems_come_before_resolved_ones(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching_data, "MOST_PROBLEMS", 1)
    is_open = known_error(org, random.Random(8))
    done = actions.open_problem(actor=org.ana, now=NOW, title="Backups failed last year")
    Ticket.objects.filter(pk=done.pk).update(state="resolved", resolved_at=NOW)
    Signature.objects.create(problem=done, learnt=Signature.objects.get().learnt, incidents=30, learnt_at=NOW)
    incident = read("VaultKeep 7.4.2 backup failed on lds-011")
    assert [one.problem for one in matching_data.matcher().match(incident)] == [is_open.pk]


def test_another_problem_that_learnt_at_the_same_instant_is_noticed(org: Organisation) -> None:
    kept = {"whole": signature(random.Random(2), others=100).as_data()}
    first, second = (actions.open_problem(actor=org.ana, now=NOW, title="Backups fail") for _ in range(2))
    for problem in (first, second):
        Signature.objects.all().delete()
        Signature.objects.create(problem=problem, learnt=kept, incidents=30, learnt_at=NOW)
        matched = matching_data.matcher().match(read("VaultKeep 7.4.2 backup failed on lds-011"))
        assert [one.problem for one in matched] == [problem.pk]


_DONE_BY = {
    "problems.match_ticket": problem_jobs.match,
    "problems.match_again": problem_jobs.match_again,
    "problems.learn": problem_jobs.learn,
}


def work_off(task: str) -> int:
    """Relay what waits in the outbox, and do the jobs of one task as the worker would; returns how many."""
    while jobs.relay():
        pass
    todo = ProcrastinateJob.objects.filter(task_name=task, status="todo").order_by("id")
    for args in todo.values_list("args", flat=True):
        _DONE_BY[task](**args)
    return len(todo)


def test_the_worker_learns_from_links_and_matches_what_is_opened(org: Organisation) -> None:
    problem = known_error(org, random.Random(8))
    Signature.objects.all().delete()
    assert work_off("problems.learn") == 1  # thirty links are one job
    assert Signature.objects.get().problem_id == problem.pk
    ProcrastinateJob.objects.all().delete()  # what was opened before
    ticket = opened(org, "VaultKeep 7.4.2 backup failed on lds-011", ci=org.ci)
    other = opened(org, ordinary(random.Random(9)))
    assert work_off("problems.match_ticket") == 2
    assert Match.objects.get(ticket=ticket).state == "linked" and not Match.objects.filter(ticket=other).exists()


def test_what_triage_adds_is_held_against_the_problems_again(org: Organisation) -> None:
    problem = known_error(org, random.Random(8))
    ticket = opened(org, "Something with lds-011")
    assert actions.match_ticket(actor=SYSTEM, ticket_id=ticket.pk, now=NOW) == []
    tickets.change_ticket(actor=org.ana, ticket_id=ticket.pk, changes={"impact": 2}, now=NOW)
    work_off("problems.match_again")
    Match.objects.create(ticket=ticket, problem=problem, score=1, reason="looks like it", found_at=NOW)
    ProcrastinateJob.objects.all().delete()
    more = {"title": "VaultKeep 7.4.2 backup failed on lds-011", "ci": org.ci}
    tickets.change_ticket(actor=org.ana, ticket_id=ticket.pk, changes=more, now=NOW)
    assert work_off("problems.match_again") == 1
    match = Match.objects.get(ticket=ticket)  # a proposal that has become sure is linked
    assert match.state == "linked" and Link.objects.filter(ticket=ticket, target=problem).count() == 1
    actions.answer_match(actor=org.alan, match_id=match.pk, accept=False, now=NOW)
    assert actions.match_ticket(actor=SYSTEM, ticket_id=ticket.pk, now=NOW) == []  # declined for good


def test_problems_that_came_without_links_made_here_are_learnt_at_night(org: Organisation) -> None:
    known_error(org, random.Random(8))
    learnt = Signature.objects.get().learnt
    Signature.objects.all().delete()
    actions.open_problem(actor=org.ana, now=NOW, title="Nobody knows yet")  # nothing to learn from
    problem_jobs.catch_up(0)
    assert Signature.objects.get().learnt == learnt
    assert actions.learn_what_is_missing(actor=SYSTEM, now=NOW) == 0
    assert actions.learn_what_is_missing(actor=SYSTEM, now=NOW + timedelta(days=400)) == 1  # what was learnt long ago is learnt anew
