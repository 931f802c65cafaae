"""One HTML page with everything that was found: it stands alone, has no script and asks no address; what tickets say is escaped."""

from pilothouse.problems.charts import facets, shown, weeks
from pilothouse.problems.engine.candidates import Candidate
from pilothouse.problems.engine.mine import Finding, Mined, weeks_of

_MOST_TICKETS = 200
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; --ink: #1d2530; --soft: #5a6675; --paper: #fff; --card: #f5f7f9; --line: #d5dbe2; --bar: #2f6f9f;
  --whole: #d9e2ea; --mark: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #a3afbb; --paper: #14181d; --card: #1c222a; --line: #343d48;
  --bar: #6fb1e0; --whole: #2b3540; --mark: #ff9d8f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 0 0 .5rem; }
.soft { color: var(--soft); } article { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  margin: 1rem 0; padding: 1rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid var(--line);
  vertical-align: top; } td.number, th { white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; } svg { width: 100%; height: auto; margin: .5rem 0; } svg text { fill: var(--soft); font-size: 11px; }
.grid { stroke: var(--line); }
.bar { fill: var(--bar); } .whole { fill: var(--whole); } .mark { stroke: var(--mark); stroke-width: 2; }
.usual { fill: none; stroke: var(--soft); stroke-dasharray: 4 3; } a { color: inherit; } summary { cursor: pointer; }
"""


def document(mined: Mined, name: str) -> str:
    """Return the page; `name` is what was mined, for instance the file's name."""
    findings = mined.findings
    head = f"{len(mined.tickets):,} tickets, {mined.families.count:,} families, {mined.groups:,} groups looked at."
    body = [
        f"<h1>What keeps coming back in {shown(name)}</h1><p class='soft'>{head}</p>",
        *(f"<p class='soft'>{shown(remark)}</p>" for remark in mined.remarks),
        _overview(mined) if findings else "<p>Nothing stands out beyond chance.</p>",
        *(_article(finding, mined) for finding in findings),
        _uneven(mined),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>What keeps coming back in {shown(name)}</title>'
        f"<style>{_STYLE}</style></head><body><main>{''.join(body)}</main></body></html>"
    )


def _overview(mined: Mined) -> str:
    rows = "".join(
        f"<tr><td class='number'>{f.rank}</td><td><a href='#candidate-{f.rank}'>{shown(f.told.title)}</a></td>"
        f"<td class='number'>{len(f.candidate.rows):,}</td><td>{shown(f.cost.basis)}</td></tr>"
        for f in mined.findings
    )
    head = "<tr><th class='number'>Rank</th><th>What</th><th class='number'>Tickets</th><th>Why this rank</th></tr>"
    return f"<div class='scroll'><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>"


def _article(finding: Finding, mined: Mined) -> str:
    candidate = finding.candidate
    return (
        f"<article id='candidate-{finding.rank}'><h2>{finding.rank}. {shown(finding.told.title)}</h2>"
        f"<p>{shown(finding.told.paragraph)}</p>{_weeks(finding, mined)}{facets(candidate.facets)}"
        f"{_causes(finding)}{_tickets(candidate, mined)}</article>"
    )


def _weeks(finding: Finding, mined: Mined) -> str:
    found = weeks_of(finding, mined)
    return weeks(found.counts, found.usual, found.first, found.marks) if found else ""


def _causes(finding: Finding) -> str:
    if not finding.causes:
        return ""
    rows = "".join(
        f"<tr><td>{shown(cause.kind)}</td><td>{shown(f'{cause.key} {cause.title}'.strip())}</td><td>{shown(cause.why)}</td>"
        f"<td class='number'>{f'{100 * cause.chance:.2g} %' if cause.chance is not None else ''}</td></tr>"
        for cause in finding.causes
    )
    head = "<tr><th>Hint</th><th>Which</th><th>Why</th><th class='number'>By chance</th></tr>"
    return f"<div class='scroll'><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>"


def _tickets(candidate: Candidate, mined: Mined) -> str:
    rows = candidate.rows[:_MOST_TICKETS].tolist()
    titles = mined.tickets.titles
    items = "".join(
        f"<li>{shown(str(mined.tickets.keys[row])[:80])}{' · ' + shown(titles[row][:160]) if titles is not None else ''}</li>"
        for row in rows
    )
    more = (
        f"<p class='soft'>… and {len(candidate.rows) - len(rows):,} more; --json lists them.</p>" if len(candidate.rows) > len(rows) else ""
    )
    return f"<details><summary>{len(candidate.rows):,} tickets</summary><ul>{items}</ul>{more}</details>"


def _uneven(mined: Mined) -> str:
    if not mined.imbalances:
        return ""
    rows = "".join(
        f"<tr><td>{shown(each.fact)}</td><td>{shown(each.value)}</td><td>{shown(each.what)}</td><td>{shown(each.words)}</td></tr>"
        for each in mined.imbalances[:30]
    )
    head = "<tr><th>Of</th><th>Which</th><th>What</th><th>Basis</th></tr>"
    return f"<h2>Uneven load</h2><div class='scroll'><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>"
