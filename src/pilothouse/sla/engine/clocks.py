"""Clocks: the fold of a ticket's life under the rules in force when it was opened; pure.

Every instant is whole seconds since 1970 (UTC), every interval half-open, every duration whole seconds.

Which target. At each event the rules name, for each kind, the winning target (rules.Rules.decide). The clock of a target is the fold
of the WHOLE life under that target's own conditions, so that a target which comes to apply later counts from the ticket's start with
every hold kept: a raised priority is retroactive. A target that no longer wins has its clock cancelled then. While a clock is
stopped (a resolved ticket), what changes on the ticket does not change its target: the verdict stands as it fell, until it is reopened.

Modes. After each event a target's clock is: not started, cancelled, stopped, paused, or running, the first that holds:
- it starts when `start` first holds (contract: when the ticket first waits for a vendor);
- cancelled while the ticket is cancelled or merged into another, or `cancel` holds (a response that stopped before stays as it fell);
- stopped while the ticket is resolved or closed, or `stop` holds; a response stops for good at the first ownership or public reply by
  somebody who is not the requester (as its `rule` says);
- paused while on hold for a reason in `holds`, or `pause` holds (contract: while not on hold for a vendor).
A reset (the event at which `reset` comes to hold) ends the clock as cancelled and begins the next `turn` at that instant.
Time is counted between one event and the next when the mode after the first was running; time while resolved is not counted, unless
the target says `count_resolved` and the ticket was reopened.

OLA: each unbroken stay of the ticket in a group is a clock of its own (`stay` 1, 2, …), which ends when the ticket leaves; a group with
several stays has their sum beside them (`stay` 0).

Arithmetic. elapsed = the sum of the schedule's open seconds over the counted segments. The target's deadline, `due`, is the first
instant at which elapsed reaches the target: past, or projected while the clock runs; None while it is paused or over before that. A
clock that ended at or before its deadline met its target; so the last open second belongs to it, and a ticket resolved on Saturday
against a deadline of Friday 17:00 has missed it. Living clocks are in breach when due < now.

Steps (engine/steps.py) fall due at the instant their threshold is crossed. A step whose instant was past already when its clock was
attached, or became known (imported history, a rule that reaches back), is passed over; when a live change (of the target, or a reopening
that counts the time while resolved) puts steps into the past, only the gravest of them falls due, at that change, unless a graver one
was taken before. A step that was taken is not due again.
"""

from collections.abc import Iterable, Sequence

from pilothouse.sla.engine.clock import AllHours, Clock
from pilothouse.sla.engine.folding import fold, fold_alike
from pilothouse.sla.engine.lives import Event
from pilothouse.sla.engine.measuring import measure
from pilothouse.sla.engine.rules import Rulebook


def count(ticket: int, life: Sequence[Event], rulebook: Rulebook, hours: AllHours) -> list[Clock]:
    """Return a ticket's clocks, measured, in the order of kinds, stays and turns."""
    clocks = fold(ticket, life, rulebook)
    measure(clocks, hours)
    return clocks


def count_many(lives: Iterable[tuple[int, Sequence[Event]]], rulebook: Rulebook, hours: AllHours) -> list[Clock]:
    """Return the clocks of many tickets (id, life): as `count` of each but without their edges, faster."""
    clocks = [clock for ticket, life in lives for clock in fold_alike(ticket, life, rulebook)]
    measure(clocks, hours)
    return clocks
