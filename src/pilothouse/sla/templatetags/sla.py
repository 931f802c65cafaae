"""Template tags of service levels: `{% load sla %}`."""

from datetime import datetime

from django import template

from pilothouse.sla import explaining
from pilothouse.sla.engine.business_time.explaining import duration_words
from pilothouse.sla.engine.rules import KINDS

register = template.Library()


@register.filter
def worked(seconds: int) -> str:
    """Write seconds as a length of time."""
    return duration_words(abs(seconds))


@register.filter
def kindword(kind: str) -> str:
    """Write a kind of target in a sentence."""
    return KINDS[kind] if "(" in KINDS[kind] else KINDS[kind].lower()


@register.simple_tag
def wall(at: datetime, zone: str) -> str:
    """Write an instant as the clock on the wall of a zone shows it, to the second."""
    return explaining.local(at, zone)
