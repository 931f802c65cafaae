"""What the miner found, in a terminal: a table of candidates, then a paragraph on each of the first."""

from rich.console import Console
from rich.table import Table

from pilothouse.problems.engine.mine import Mined


def draw(mined: Mined, console: Console, *, most: int) -> None:
    """Print the candidates, at most so many."""
    tickets, families = _counted(len(mined.tickets), "ticket", "tickets"), _counted(mined.families.count, "family", "families")
    console.print(f"{tickets}, {families}, {_counted(mined.groups, 'group', 'groups')} looked at.")
    for remark in mined.remarks:
        console.print(_plain(remark))
    if not mined.findings:
        console.print("Nothing stands out beyond chance.")
    else:
        _table(mined, console, most)
        for finding in mined.findings[:most]:
            console.print(f"\n{finding.rank}. {_plain(finding.told.title)}", style="bold")
            console.print(_plain(finding.told.paragraph))
    for each in mined.imbalances[:most]:
        console.print(f"\nUneven ({each.what}): {each.fact} {_plain(each.value)}. {_plain(each.words)}.")


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _table(mined: Mined, console: Console, most: int) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("Rank", justify="right")
    table.add_column("What", overflow="fold")
    table.add_column("Tickets", justify="right")
    table.add_column("Why this rank", overflow="fold")
    for finding in mined.findings[:most]:
        table.add_row(str(finding.rank), _plain(finding.told.title), f"{len(finding.candidate.rows):,}", _plain(finding.cost.basis))
    console.print(table)
    if len(mined.findings) > most:
        console.print(f"… and {len(mined.findings) - most:,} more; --most shows them.")


def _plain(text: str) -> str:
    """Return a text without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)
