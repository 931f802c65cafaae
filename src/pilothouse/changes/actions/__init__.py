"""The only writers of changes: each opens, plans or moves the ticket that a change is, and journals its detail with it."""

from pilothouse.changes.actions.moving import move_change
from pilothouse.changes.actions.opening import open_change
from pilothouse.changes.actions.planning import plan_change

__all__ = ["move_change", "open_change", "plan_change"]
