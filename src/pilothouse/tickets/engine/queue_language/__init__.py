"""The queue language: `state:open group:network priority<=2 -is:assigned opened<2d "vpn" sort:-priority`.

Text -> `parse` -> a tree (syntax) -> `resolve` -> a plan of tests (plan), which `tickets.queries` turns into SQL and `evaluate`
answers for one ticket. Mistakes are values with a place, a reason and a suggestion. docs/queue-language.md is its page for people.
"""

from pilothouse.tickets.engine.queue_language.completion import Completion, Suggestion, Vocabulary, complete
from pilothouse.tickets.engine.queue_language.meaning import Names, names_in, resolve, ticket_number
from pilothouse.tickets.engine.queue_language.mistakes import Mistake, closest
from pilothouse.tickets.engine.queue_language.plan import Context, Plan, evaluate
from pilothouse.tickets.engine.queue_language.reader import parse
from pilothouse.tickets.engine.queue_language.syntax import Query, SortKey, format_node, format_query

__all__ = [
    "Completion",
    "Context",
    "Mistake",
    "Names",
    "Plan",
    "Query",
    "SortKey",
    "Suggestion",
    "Vocabulary",
    "closest",
    "complete",
    "evaluate",
    "format_node",
    "format_query",
    "names_in",
    "parse",
    "resolve",
    "ticket_number",
]
