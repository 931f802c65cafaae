"""The review in a terminal, readable at 80 columns."""

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from pilothouse.morning.engine.lines import Line, Section
from pilothouse.morning.engine.spans import greeting
from pilothouse.morning.figures import Came
from pilothouse.morning.queries import Morning

LINES = 10
_TONES = {"more": "yellow", "less": "green", "usual": "", "": "dim"}


def draw(shown: Morning, console: Console) -> None:
    """Print the review."""
    here = shown.now.astimezone(shown.zone)
    name = f", {shown.name.split()[0]}" if shown.name else ""
    console.print(Text(f"{greeting(shown.now, shown.zone)}{name}", style="bold"))
    console.print(Text(f"{here:%A %-d %B, %H:%M} {shown.zone}, since {shown.since_words}", style="dim"))
    if shown.scope_words:
        console.print(Text(f"Tickets of {shown.scope_words}", style="dim"))
    console.print(_figures(shown))
    for section in shown.sections:
        console.print(_section(section))
    console.print(_came(shown))
    console.print(_ages(shown))
    for day in shown.tomorrow:
        console.print(Text(f"Tomorrow: {day.name} ({', '.join(day.teams)})", style="yellow"))


def _figures(shown: Morning) -> Table:
    table = Table.grid(padding=(0, 2))
    total, share, risk, escalated = shown.intake.total, shown.met.share, shown.risk, shown.section("escalated")
    count = escalated.asking
    rows = (
        (total.count, "came in", total.usual.words if total.usual else "too little history to compare", _TONES[total.verdict]),
        (
            shown.breached,
            "breached",
            "" if share is None else f"{share:.1f} % met in the last 7 days",
            "red" if shown.breached else "green",
        ),
        (risk.first, f"at risk {risk.ahead.first_words}", f"{risk.rest} more {risk.ahead.last_words}", "red" if risk.first else "green"),
        (count, "escalations nobody took", "", "red" if count else "green"),
    )
    table.add_row("", "", "")
    for figure, label, word, tone in rows:
        table.add_row(Text(f"{figure:>6,}", style=f"bold {tone}"), label, Text(word, style="dim"))
    return table


def _section(section: Section) -> Group:
    head = Text.assemble("\n", (section.title, "bold"), f"  {section.count}" if section.count else "")
    if not section.lines:
        return Group(head, Text(f"  {section.empty}", style="dim"))
    table = Table.grid(padding=(0, 1))
    table.add_column(width=3, justify="right")
    table.add_column(width=10, no_wrap=True)
    table.add_column(ratio=1)
    for line in section.lines[:LINES]:
        table.add_row(*_line(line))
    rest = section.count - min(len(section.lines), LINES)
    return Group(head, table, Text(f"    and {rest} more", style="dim")) if rest > 0 else Group(head, table)


def _line(line: Line) -> tuple[Text, Text, Text]:
    prio = Text(f"P{line.priority}", style={1: "bold red", 2: "red", 3: "yellow"}.get(line.priority, "dim"))
    words = "; ".join((_printable(line.reason), *line.also))
    text = Text.assemble((_printable(line.title), "dim strike" if line.done else ""), "\n", (f"{words} · {_printable(line.owner)}", "dim"))
    if line.done:
        text.append(f"\n✓ {line.done}", style="green")
    return prio, Text(line.number), text


def _printable(text: str) -> str:
    """Leave out what a terminal would obey instead of show: control signs, changes of direction."""
    return "".join(sign for sign in text if sign.isprintable())


def _came(shown: Morning) -> Group:
    table = Table.grid(padding=(0, 2))
    for came in shown.intake.teams[:LINES]:
        table.add_row(*_came_row(came, came.name))
    for came in shown.intake.priorities:
        table.add_row(*_came_row(came, f"priority {came.name}"))
    return Group(Text("\nCame in", style="bold"), table)


def _came_row(came: Came, name: str) -> tuple[str, Text, Text]:
    return f"{came.count:>6,}", Text(name), Text(came.usual.words if came.usual else "", style=_TONES[came.verdict] or "dim")


def _ages(shown: Morning) -> Group:
    table = Table.grid(padding=(0, 2))
    for age in shown.ages:
        table.add_row(f"{age.count:>6,}", age.words, Text(f"{age.change} against last {shown.now.astimezone(shown.zone):%A}", style="dim"))
    return Group(Text("\nOpen by age", style="bold"), table)
