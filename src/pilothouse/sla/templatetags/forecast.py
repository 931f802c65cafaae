"""Figures of the forecast's page."""

from django import template

register = template.Library()


@register.filter
def percent(share: float | None) -> str:
    """Write a share as whole percent; a dash when there is none.

    >>> percent(0.256), percent(None)
    ('26 %', '–')
    """
    return "–" if share is None else f"{share * 100:.0f} %"


@register.filter
def figure(number: int | None) -> str:
    """Write a number with its thousands apart."""
    return "–" if number is None else f"{number:,}"
