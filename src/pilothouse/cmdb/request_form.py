"""A service's request form: the questions the portal asks of whoever raises a ticket for it; pure.

It is kept on the service as a list of objects {name, label, type, required, options}; the answers are kept on the ticket under
the labels, so that they are still understood when the form has changed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

TYPES: dict[str, str] = {"text": "One line", "longtext": "Several lines", "choice": "Choice", "date": "Date", "yesno": "Yes or no"}
MOST_FIELDS = 30
MOST_OPTIONS = 100
_LONGEST_LABEL = 80


@dataclass(frozen=True, slots=True)
class Question:
    """One field of a request form; `options` are those of a choice."""

    name: str
    label: str
    type: str = "text"
    required: bool = False
    options: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the question as the service keeps it."""
        return {**asdict(self), "options": list(self.options)}


def read(raw: Any) -> list[Question]:
    """Return the questions of a kept form; what cannot be understood is left out, so that a portal page always works.

    >>> read([{"label": "Which site?", "type": "choice", "options": ["Leeds", "York"]}, {"type": "text"}])
    [Question(name='which_site', label='Which site?', type='choice', required=False, options=('Leeds', 'York'))]
    """
    return [_question(each) for each in raw if not _fault(each)] if isinstance(raw, list) else []


def _question(raw: Mapping[str, Any]) -> Question:
    label = raw["label"].strip()
    options = tuple(dict.fromkeys(option.strip() for option in raw.get("options") or () if option.strip()))
    return Question(raw.get("name") or name_of(label), label, raw.get("type", "text"), bool(raw.get("required")), options)


def name_of(label: str) -> str:
    """Make a field's name from its label.

    >>> name_of("Cost centre (4 digits)")
    'cost_centre_4_digits'
    """
    return re.sub(r"\W+", "_", label.lower(), flags=re.ASCII).strip("_")[:60] or "field"


def faults(raw: Any) -> list[str]:
    """Say what is wrong with a request form; empty when it is good."""
    if not isinstance(raw, list):
        return ["A request form is a list of fields."]
    if len(raw) > MOST_FIELDS:
        return [f"A request form has at most {MOST_FIELDS} fields; nobody fills in more."]
    found = [f"Field {at}: {fault}" for at, each in enumerate(raw, 1) if (fault := _fault(each))]
    return found or _doubles(_question(each) for each in raw)


def _doubles(questions: Iterable[Question]) -> list[str]:
    seen: set[str] = set()
    found = []
    for question in questions:
        for word in {question.name, question.label.lower()}:
            if word in seen:
                found.append(f"Two fields are called “{question.label}”.")
                break
        seen |= {question.name, question.label.lower()}
    return found


def _fault(raw: Any) -> str:
    if not isinstance(raw, Mapping):
        return "it is an object with label and type."
    label, options = raw.get("label"), raw.get("options") or []
    if not isinstance(label, str) or not 0 < len(label.strip()) <= _LONGEST_LABEL:
        return f"it has a label of at most {_LONGEST_LABEL} characters."
    if raw.get("type", "text") not in TYPES:
        return f"its type is one of {', '.join(TYPES)}."
    if not isinstance(raw.get("name", ""), str) or not re.fullmatch(r"\w{0,60}", raw.get("name", ""), flags=re.ASCII):
        return "its name has letters, digits and underscores only."
    if not isinstance(options, list) or len(options) > MOST_OPTIONS or not all(isinstance(o, str) and len(o) <= 200 for o in options):
        return f"its options are at most {MOST_OPTIONS} short texts."
    return "a choice has at least two options." if raw.get("type") == "choice" and len({o.strip() for o in options} - {""}) < 2 else ""
