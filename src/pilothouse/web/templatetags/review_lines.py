"""Lines of the morning review, written straight as text: there may be a hundred, and templates take ten times as long."""

from html import escape
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from pilothouse.morning.engine.lines import Line
from pilothouse.web.templatetags import pilothouse as marks

register = template.Library()


@register.simple_tag
def review_line(line: Line, runs: bool) -> SafeString:
    """Write one line; `runs` gives it what to press. The page's form `marks` takes the marks."""
    number, key = escape(line.number), escape(line.key)
    tags = "".join(f'<span class="tag warn">{escape(each)}</span>' for each in line.also)
    done = f'<span class="small how">{marks.icon("check")}{escape(line.done)}</span>' if line.done else ""
    return mark_safe(  # noqa: S308 every value is escaped where it is written
        f'<li class="line{" late" if line.is_late else ""}" data-key="{key}" data-of="{line.ticket_id}"{" data-done" if line.done else ""}>'
        f'<span class="what">{marks.priority(line.priority)}</span><div class="why">'
        f'<a class="title" href="{reverse("ticket", args=[line.number])}">{escape(line.title)}</a>'
        f'<span class="muted small">{number} · {escape(line.reason)} · {escape(line.owner)}</span>'
        f"{f'<span class=row>{tags}</span>' if tags else ''}{done}</div>"
        f"{_pressed(line, number, key) if runs else ''}</li>"
    )


def _pressed(line: Line, number: str, key: str) -> str:
    return f'<div class="do">{_undo(line, number, key) if line.done else _acts(line, number, key)}</div><div class="slot"></div>'


def _undo(line: Line, number: str, key: str) -> str:
    word = "Undo" if line.undoable else "Not done"
    return (
        f'<button class="button quiet" form="marks" name="undo" value="{key}" data-do="done" aria-label="Take back: {number}">'
        f"{marks.icon('undo')}{word}</button>"
    )


def _acts(line: Line, number: str, key: str) -> str:
    first, *others = (_act(line, act, number, css) for act, css in zip(line.acts, ["button", *["item"] * 9], strict=False))
    menu = (
        f'<details class="menu right"><summary class="button quiet icononly" aria-label="More for {number}">…</summary>'
        f'<div class="sheet">{"".join(others)}</div></details>'
    )
    mark = (
        f'<button class="button quiet icononly" form="marks" name="done" value="{key}" data-do="done"'
        f' aria-label="Mark {number} as done" title="Done">{marks.icon("check")}</button>'
    )
    return f"{first}{menu if others else ''}{mark}"


def _act(line: Line, act: str, number: str, css: str) -> str:
    address = escape(f"{reverse('morning-act')}?{urlencode({'act': act, 'key': line.key})}")
    title = act.title()
    label = f' aria-label="{title} {number}"' if css == "button" else ""
    return f'<a class="{css}" href="{address}" data-do="{act}"{label}>{title}</a>'
