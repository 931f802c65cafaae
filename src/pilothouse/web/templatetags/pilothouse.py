"""Template tags and filters of the design system: `{% load pilothouse %}`."""

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from pilothouse.platform import clock
from pilothouse.tickets.engine.lifecycle import STATES
from pilothouse.web import markdown as markdown_text

register = template.Library()

PRIORITY_WORDS = {1: "critical", 2: "high", 3: "moderate", 4: "low", 5: "planning"}


@register.filter
def markdown(text: str | None) -> SafeString:
    """Render markdown and sanitise it."""
    return mark_safe(markdown_text.render(text or ""))  # noqa: S308 nh3 has sanitised it


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """Draw one symbol of the sprite; it is decoration, so the words beside it carry the meaning."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("pilothouse/icons.svg"), name)


@register.simple_tag
@cache
def priority(level: int | None) -> SafeString:
    """Draw a priority as its figure, with the word for those who cannot see it."""
    if level is None:
        return format_html('<span class="prio" title="{}">–</span>', "no priority")
    return format_html(
        '<span class="prio p{}" title="priority {}, {}"><span class="unseen">priority </span>{}</span>',
        level,
        level,
        PRIORITY_WORDS.get(level, ""),
        level,
    )


@register.simple_tag
@cache
def state(name: str, hold_reason: str = "") -> SafeString:
    """Draw a state as a word beside its mark; a hold says for whom it waits."""
    words = STATES.get(name, name.replace("_", " ")).lower()
    if name == "on_hold" and hold_reason:
        words = f"{words}: {hold_reason}"
    return format_html('<span class="state {}">{}</span>', name, words)


@register.filter
def spoken(name: str) -> str:
    """Turn a stored word into spoken words: `in_progress` -> "in progress"."""
    return str(name).replace("_", " ")


@register.filter
def initials(name: str | None) -> str:
    """Take the first letters of the first and last word of a name."""
    words = [word for word in (name or "").replace(".", " ").split() if word[0].isalnum()]
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [word[:2] for word in words[:1]]
    return "".join(letters).upper()


@register.simple_tag(takes_context=True)
def moment(context: template.Context, at: datetime | None, empty: str = "–", *, brief: bool = False) -> SafeString:
    """Show an instant in the reader's zone, as short as it can be understood, with the whole of it on hover.

    `brief` leaves the hour out of what is more than some days ago, for columns.
    """
    if at is None:
        return format_html('<span class="muted">{}</span>', empty)
    zone = _zone(context)
    local = at.astimezone(zone)
    short = _short(local, clock.now().astimezone(zone), brief=brief)
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), f"{local:%A %-d %B %Y, %H:%M:%S %Z}", short)


def _zone(context: template.Context) -> ZoneInfo:
    """The reader's zone, or UTC when nobody is signed in or the zone is not known here."""
    actor = getattr(context.get("request"), "actor", None)
    try:
        return ZoneInfo(actor.time_zone if actor else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _short(local: datetime, today: datetime, *, brief: bool) -> str:
    """The hour today, the weekday within a week, else the date; the year only when it is another one."""
    if local.date() == today.date():
        return f"{local:%H:%M}"
    if timedelta(0) < today - local < timedelta(days=6):
        return f"{local:%a %H:%M}"
    if local.year == today.year:
        return f"{local:%-d %b}" if brief else f"{local:%-d %b %H:%M}"
    return f"{local:%-d %b %Y}"


@register.filter
def age(at: datetime | None) -> str:
    """Say how long ago an instant was, in the two largest units: 4m, 3h 10, 2d 4h, 41d."""
    return "–" if at is None else span((clock.now() - at).total_seconds())


@register.filter
def span(seconds: float | None) -> str:
    """Say a length of time in its two largest units."""
    if seconds is None:
        return "–"
    minutes = int(abs(seconds)) // 60
    sign = "-" if seconds < 0 else ""
    if minutes < 60:
        return f"{sign}{minutes}m"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{sign}{hours}h {rest:02d}"
    days, hours = divmod(hours, 24)
    return f"{sign}{days}d {hours}h" if days < 10 else f"{sign}{days}d"


@register.filter
def filesize(size: int | None) -> str:
    """Say a size in bytes with decimal units."""
    amount = float(size or 0)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
