"""The only writers of tickets. Every action is `verb_noun(*, actor, …, now)`: one transaction that checks access and guards,
changes the row and journals it. Refusals are raised (pilothouse.platform.refusals) before anything is written.
"""

from pilothouse.tickets.actions.attaching import attach_file, remove_attachment
from pilothouse.tickets.actions.categories import add_category, change_category
from pilothouse.tickets.actions.changing import (
    assign_ticket,
    change_ticket,
    close_resolved_tickets,
    move_ticket,
    set_priority_matrix,
    undo_changes,
)
from pilothouse.tickets.actions.conversation import comment_on_ticket, unwatch_ticket, watch_ticket
from pilothouse.tickets.actions.opening import follow_up_ticket, open_ticket, open_tickets
from pilothouse.tickets.actions.relating import link_ticket, merge_ticket, unlink_ticket
from pilothouse.tickets.actions.saved_views import remove_view, save_view

__all__ = [
    "add_category",
    "assign_ticket",
    "attach_file",
    "change_category",
    "change_ticket",
    "close_resolved_tickets",
    "comment_on_ticket",
    "follow_up_ticket",
    "link_ticket",
    "merge_ticket",
    "move_ticket",
    "open_ticket",
    "open_tickets",
    "remove_attachment",
    "remove_view",
    "save_view",
    "set_priority_matrix",
    "undo_changes",
    "unlink_ticket",
    "unwatch_ticket",
    "watch_ticket",
]
