"""Rows of the queue, written straight as text: fifty of them are most of the page, and templates take ten times as long."""

from collections.abc import Callable, Mapping
from html import escape

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from pilothouse.platform import clock
from pilothouse.sla import in_the_queue
from pilothouse.tickets.desk_board import Cell, Row
from pilothouse.web.templatetags import pilothouse as marks

register = template.Library()
Write = Callable[[template.Context, Row, Cell], str]


@register.simple_tag(takes_context=True)
def ticket_row(context: template.Context, row: Row, works: bool) -> SafeString:
    """Write one row; `works` gives it a box to select it by."""
    number = escape(row.number)
    left = ' data-left title="No longer in this view"' if row.left else ""
    preview = reverse("queue-preview", args=[row.id])
    cells = "".join(_WRITERS.get(cell.key, _BY_TYPE.get(cell.type, _text))(context, row, cell) for cell in row.cells)
    return mark_safe(  # noqa: S308 every value is escaped where it is written
        f'<tr data-id="{row.id}" data-number="{number}" data-version="{row.version}" data-preview="{preview}"{left}>'
        f'<td class="pick">{_box(row, number) if works else ""}</td>{cells}</tr>'
    )


def _box(row: Row, number: str) -> str:
    box = f'<input type="checkbox" name="ids" value="{row.id}" form="bulk">'
    return f'<label class="tick">{box}<span class="unseen">Select {number}</span></label>'


def _title(context: template.Context, row: Row, cell: Cell) -> str:
    return f'<td class="col-title"><a href="{reverse("ticket", args=[row.number])}">{escape(str(cell.value))}</a></td>'


def _priority(context: template.Context, row: Row, cell: Cell) -> str:
    return f'<td class="col-priority">{marks.priority(cell.value)}</td>'


def _state(context: template.Context, row: Row, cell: Cell) -> str:
    return f'<td class="col-state">{marks.state(cell.value, row.hold_reason)}</td>'


def _assignee(context: template.Context, row: Row, cell: Cell) -> str:
    if cell.value is None:
        return _text(context, row, cell)
    name = escape(str(cell.value))
    avatar = f'<span class="avatar" aria-hidden="true">{escape(marks.initials(str(cell.value)))}</span>'
    return f'<td class="text col-assignee" title="{name}">{avatar}<span class="full">{name}</span></td>'


def _instant(context: template.Context, row: Row, cell: Cell) -> str:
    return f'<td class="col-{cell.key}">{marks.moment(context, cell.value, brief=True)}</td>'


def _due(context: template.Context, row: Row, cell: Cell) -> str:
    """The clock that is due first: what is left as a figure, beside how much of the target is used; it counts on in the page."""
    shown = in_the_queue.clock_of(row.id, cell.value, cell.beside)
    if shown is None:
        return '<td class="col-due_at"><span class="muted">none</span></td>'
    now = clock.now()
    share = in_the_queue.share_used(shown, now)
    left, tone = in_the_queue.countdown(shown, share, now)
    due = f' data-due="{shown.due_at.isoformat()}"' if shown.due_at and shown.stage == "running" else ""
    title = escape(in_the_queue.countdown_words(shown, share))
    bar = f'<progress max="100" value="{min(100, max(0, share))}" aria-label="{title}"></progress>'
    return f'<td class="col-due_at" title="{title}"><span class="clock {tone}"{due}><b>{escape(left)}</b>{bar}</span></td>'


def _risk(context: template.Context, row: Row, cell: Cell) -> str:
    if cell.value is None:
        return '<td class="num col-risk"></td>'
    return f'<td class="num col-risk" title="{escape(str(cell.beside[0] or ""))}">{int(cell.value)} %</td>'


def _duration(context: template.Context, row: Row, cell: Cell) -> str:
    return f'<td class="num">{escape(marks.span(cell.value))}</td>'


def _count(context: template.Context, row: Row, cell: Cell) -> str:
    return f'<td class="num">{"" if cell.value is None else int(cell.value)}</td>'


def _tags(context: template.Context, row: Row, cell: Cell) -> str:
    tags = " ".join(f'<span class="tag">{escape(tag)}</span>' for tag in cell.value or ())
    return f'<td class="text">{tags}</td>'


def _text(context: template.Context, row: Row, cell: Cell) -> str:
    if cell.value in (None, ""):
        return f'<td class="text col-{cell.key}"><span class="muted">none</span></td>'
    words = escape(_spoken(cell))
    return f'<td class="text col-{cell.key}" title="{words}">{words}</td>'


def _spoken(cell: Cell) -> str:
    return str(cell.value).replace("_", " ") if cell.type == "choice" else str(cell.value)


_WRITERS: Mapping[str, Write] = {
    "title": _title,
    "priority": _priority,
    "state": _state,
    "assignee": _assignee,
    "due_at": _due,
    "risk": _risk,
}
_BY_TYPE: Mapping[str, Write] = {"instant": _instant, "duration": _duration, "count": _count, "tags": _tags}
