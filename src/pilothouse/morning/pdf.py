"""The review as a PDF. What people typed reaches typst as values, never as source: it prints literally whatever it holds."""

import json
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pilothouse.morning.engine.spans import greeting
from pilothouse.morning.queries import Morning
from pilothouse.morning.telling import as_data, came_words


def document(shown: Morning) -> bytes:
    """Return the review as a PDF of A4 pages."""
    return typeset(shown, "pdf")


def typeset(shown: Morning, kind: Literal["pdf", "html"]) -> bytes:
    """Return the document in one of typst's forms; as HTML its words can be read by a test."""
    import typst  # heavy start-up

    # A folder of its own as root: not even the document itself could read another file.
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "review.typ"
        source.write_bytes(resources.files("pilothouse.morning").joinpath(source.name).read_bytes())
        values = {"review": json.dumps(_said(shown))}
        return typst.compile(source, root=source.parent, format=kind, sys_inputs=values, ignore_system_fonts=True)


def _said(shown: Morning) -> dict[str, Any]:
    here = shown.now.astimezone(shown.zone)
    share = shown.met.share
    figures = [
        [str(shown.intake.total.count), "came in", shown.intake.total.usual.words if shown.intake.total.usual else ""],
        [str(shown.breached), "breached", "" if share is None else f"{share:.1f} % met in 7 days"],
        [str(shown.risk.first), f"at risk {shown.risk.ahead.first_words}", f"{shown.risk.rest} more {shown.risk.ahead.last_words}"],
        [str(shown.section("escalated").asking), "escalated", "not taken up"],
    ]
    return {
        **as_data(shown),
        "title": f"Morning review, {here:%A %-d %B %Y}",
        "subtitle": f"{shown.name}, {here:%H:%M} {shown.zone}, since {shown.since_words}. {came_words(shown)}.",
        "greeting": greeting(shown.now, shown.zone),
        "figures": figures,
    }
