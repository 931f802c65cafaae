"""The proof of a ticket's clocks for the terminal."""

from rich.console import Console
from rich.text import Text

from pilothouse.sla.engine.business_time.explaining import duration_words
from pilothouse.sla.engine.rules import KINDS
from pilothouse.sla.explaining import Explained, Proof, Span, local


def show(found: Explained, console: Console) -> None:
    """Print every clock with its spans, the sum and the deadline, and why there is none of the other kinds."""
    console.print(Text(f"{found.ticket.number}  {found.ticket.title}", style="bold"))
    for proof in found.proofs:
        _show(proof, console)
    for absence in found.absences:
        console.print(Text(f"\nNo {KINDS[absence.kind].lower()} clock:", style="bold"))
        for reason in absence.reasons:
            console.print(Text(f"  {reason}"))


def _show(proof: Proof, console: Console) -> None:
    console.print(Text(f"\n{proof.name}: {proof.verdict}", style="bold"))
    console.print(Text(f"  {proof.agreement}; {proof.target}; {proof.schedule} ({proof.zone})"))
    for span in proof.spans:
        _span(span, proof.zone, console)
    counted = f"counted {duration_words(proof.elapsed)} of {duration_words(proof.clock.target_seconds)}"
    deadline = f"; deadline {local(proof.due, proof.zone)}" if proof.due else ""
    console.print(Text(f"  = {counted}{deadline}", style="bold"))
    if proof.deadline:
        console.print(Text(f"    {proof.deadline.words}"))


def _span(span: Span, zone: str, console: Console) -> None:
    end = f" to {local(span.end, zone)}" if span.end else " to now" if span.mode == "running" else ""
    console.print(Text(f"  {local(span.start, zone)}{end}: {span.mode}"))
    console.print(Text(f"    entry {span.seq}{f': {span.cause}' if span.cause else ''}"))
    if span.words:
        console.print(Text(f"    {span.words}"))
