"""Lines of the candidates' page, written straight as text: there may be hundreds, and templates take ten times as long."""

from html import escape

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from pilothouse.problems.candidate_page import Line, Listed

register = template.Library()


@register.simple_tag
def candidate_lines(page: Listed) -> SafeString:
    """Write the candidates of a list."""
    address = reverse("problems-candidate", args=[0]).removesuffix("0")
    written = "".join(_line(line, f"{address}{line.id}", is_ranked=page.state == "open") for line in page.lines)
    return mark_safe(written)  # noqa: S308 every value is escaped where it is written


def _line(line: Line, address: str, *, is_ranked: bool) -> str:
    tags = "".join(f'<span class="tag {tone}">{escape(words)}</span>' for tone, words in line.marks)
    if line.problem:
        tags += f'<a class="tag accent" href="{reverse("ticket", args=[line.problem])}">{escape(line.problem)}</a>'
    hidden = f'<span class="unseen">, {line.hidden:,} of them hidden from you</span>' if line.hidden else ""
    figures = (("Tickets", f"<b>{line.tickets:,}</b>{hidden}"), ("Since", escape(line.since)), ("By chance", escape(line.odds)))
    told = "".join(f"<div><dt>{name}</dt><dd>{value or '–'}</dd></div>" for name, value in figures)
    return (
        f'<li class="candidate" data-id="{line.id}"><span class="rank">{(line.rank or "–") if is_ranked else ""}</span><div class="what">'
        f'<span class="named"><a class="title" href="{address}">{escape(line.title)}</a>{tags}</span>'
        f'<p class="reason">{escape(line.reason)}</p><p class="muted small said">{escape(line.paragraph)}</p></div>'
        f'{_spark(line)}<dl class="figures small">{told}</dl></li>'
    )


def _spark(line: Line) -> str:
    if not line.spark:
        return '<span class="spark"></span>'
    return (
        f'<svg class="spark" viewBox="0 0 {line.steps} 28" preserveAspectRatio="none" role="img" aria-label="{escape(line.told)}">'
        f'<polyline class="usual" points="{line.usual}"/><polyline points="{line.spark}"/></svg>'
    )
