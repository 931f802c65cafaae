"""The words that `is:` and `has:` take, declared once: what each means as a plan, and the line that explains it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pilothouse.tickets.engine.lifecycle import DONE_STATES, OPEN_STATES
from pilothouse.tickets.engine.queue_language.plan import All, Context, Operator, Opposite, Plan, Related, Test

AGING = timedelta(days=14)
STALE = timedelta(days=5)
RECENT = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Flag:
    """One word: its meaning and its help."""

    plan: Callable[[Context], Plan]
    help: str


def _states(*states: str) -> Plan:
    return Test("state", Operator.IN, states)


def _is_set(path: str) -> Plan:
    return Opposite(Test(path, Operator.NULL))


def _filled(path: str) -> Plan:
    return Opposite(Test(path, Operator.IN, ("",)))


def _mine(context: Context, path: str) -> Plan:
    return Test(path, Operator.IN, context.me)


OPEN: Plan = _states(*OPEN_STATES)

FLAGS: dict[str, Flag] = {
    "open": Flag(lambda _: OPEN, "Not yet resolved, closed or cancelled."),
    "done": Flag(lambda _: _states(*DONE_STATES), "Resolved, closed or cancelled."),
    "new": Flag(lambda _: _states("new"), "In state new."),
    "on-hold": Flag(lambda _: _states("on_hold"), "In state on hold."),
    "resolved": Flag(lambda _: _states("resolved"), "In state resolved."),
    "closed": Flag(lambda _: _states("closed"), "In state closed."),
    "cancelled": Flag(lambda _: _states("cancelled"), "In state cancelled."),
    "incident": Flag(lambda _: Test("kind", Operator.IN, ("incident",)), "An incident."),
    "request": Flag(lambda _: Test("kind", Operator.IN, ("request",)), "A service request."),
    "task": Flag(lambda _: Test("kind", Operator.IN, ("task",)), "A task."),
    "problem": Flag(lambda _: Test("kind", Operator.IN, ("problem",)), "A problem."),
    "change": Flag(lambda _: Test("kind", Operator.IN, ("change",)), "A change."),
    "assigned": Flag(lambda _: _is_set("assignee_id"), "Somebody is working on it."),
    "unassigned": Flag(lambda _: Test("assignee_id", Operator.NULL), "Nobody is working on it."),
    "routed": Flag(lambda _: _is_set("group_id"), "It has a group."),
    "unrouted": Flag(lambda _: Test("group_id", Operator.NULL), "It has no group yet."),
    "mine": Flag(lambda context: _mine(context, "assignee_id"), "You are working on it."),
    "my-teams": Flag(lambda context: Test("group_id", Operator.IN, context.my_teams), "It belongs to one of your groups."),
    "watched": Flag(lambda context: Test("watchers", Operator.OVERLAPS, context.me), "You watch it."),
    "major-to-be": Flag(
        lambda _: All(
            (OPEN, Test("kind", Operator.IN, ("incident",)), Test("priority", Operator.IN, (1,)), Test("merged_into_id", Operator.NULL))
        ),
        "An open incident of priority 1 that was not merged into another.",
    ),
    "aging": Flag(
        lambda context: All((OPEN, Test("opened_at", Operator.LESS, context.now - AGING))),
        f"Open, and opened more than {AGING.days} days ago.",
    ),
    "stale": Flag(
        lambda context: All((OPEN, Test("updated_at", Operator.LESS, context.now - STALE))),
        f"Open, and untouched for more than {STALE.days} days.",
    ),
    "recently-resolved": Flag(
        lambda context: All((_states("resolved", "closed"), Test("resolved_at", Operator.AT_LEAST, context.now - RECENT))),
        f"Resolved within the last {RECENT.days} days.",
    ),
    "overdue-hold": Flag(
        lambda context: All((_states("on_hold"), Test("hold_until", Operator.LESS, context.now))), "On hold, though its hold has run out."
    ),
    "bounced": Flag(lambda _: Test("story__bounce_count", Operator.MORE, 0), "It came back to a group that had had it."),
    "reassigned": Flag(lambda _: Test("story__reassignment_count", Operator.MORE, 0), "Its group or assignee changed at least once."),
    "reopened": Flag(lambda _: Test("story__reopen_count", Operator.MORE, 0), "It was reopened at least once."),
    "answered": Flag(lambda _: _is_set("story__first_reply_at"), "Staff answered the requester."),
    "merged": Flag(lambda _: _is_set("merged_into_id"), "It was merged into another ticket."),
    "child": Flag(lambda _: _is_set("parent_id"), "It has a parent ticket."),
    "imported": Flag(lambda _: _filled("external_id"), "It came from another system."),
}

HAS: Mapping[str, Flag] = {
    "group": Flag(lambda _: _is_set("group_id"), "A group."),
    "assignee": Flag(lambda _: _is_set("assignee_id"), "An assignee."),
    "requester": Flag(lambda _: _is_set("requester_id"), "A requester."),
    "service": Flag(lambda _: _is_set("service_id"), "A service."),
    "ci": Flag(lambda _: _is_set("ci_id"), "A configuration item."),
    "category": Flag(lambda _: _filled("category"), "A category."),
    "parent": Flag(lambda _: _is_set("parent_id"), "A parent ticket."),
    "hold-until": Flag(lambda _: _is_set("hold_until"), "An end of its hold."),
    "resolution": Flag(lambda _: _filled("resolution_code"), "A resolution code."),
    "tag": Flag(lambda _: Opposite(Test("tags", Operator.EMPTY)), "A tag."),
    "attachment": Flag(lambda _: Related("attachment"), "An attachment."),
    "child": Flag(lambda _: Related("child"), "Child tickets."),
    "link": Flag(lambda _: Related("link"), "A link to another ticket."),
    "watcher": Flag(lambda _: Opposite(Test("watchers", Operator.EMPTY)), "A watcher."),
    "comment": Flag(lambda _: Related("comment"), "A comment that you may read."),
}

ALIASES: Mapping[str, str] = {
    "hold": "on-hold",
    "major": "major-to-be",
    "majors-to-be": "major-to-be",
    "canceled": "cancelled",
    "active": "open",
    "watching": "watched",
    "attachments": "attachment",
    "children": "child",
    "links": "link",
    "tags": "tag",
    "comments": "comment",
    "watchers": "watcher",
    "team": "group",
}


def find(field: str, word: str) -> str:
    """Return the canonical word that `is:` or `has:` means by this one, or "" when there is none."""
    known, folded = WORDS[field], word.casefold().replace("_", "-")
    return next((each for each in (folded, ALIASES.get(folded, "")) if each in known), "")


WORDS: Mapping[str, Mapping[str, Flag]] = {"is": FLAGS, "has": HAS}


def register(words: Mapping[str, Flag]) -> None:
    """Add words for `is:`; a room above does so when its app is ready."""
    FLAGS.update(words)
