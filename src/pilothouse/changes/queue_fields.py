"""What changes add to the queue language, and to an export of changes: planned and actual times, type, risk, outcome."""

from pilothouse.changes.engine.detail import OUTCOMES, RISKS, TYPES
from pilothouse.tickets import exports
from pilothouse.tickets.engine import fields
from pilothouse.tickets.engine.fields import Field, FieldType

_T = FieldType
fields.register(
    Field(
        name="planned-start",
        key="planned_start_at",
        label="Planned start",
        type=_T.INSTANT,
        path="change__planned_start_at",
        nullable=True,
        ahead=True,
        width="13ch",
        help="When a change's work is planned to begin; planned-start<2d is within two days from now, or past.",
    ),
    Field(
        name="planned-end",
        key="planned_end_at",
        label="Planned end",
        type=_T.INSTANT,
        path="change__planned_end_at",
        nullable=True,
        ahead=True,
        width="13ch",
        help="By when a change's work is planned to be done.",
    ),
    Field(
        name="actual-start",
        key="actual_start_at",
        label="Actual start",
        type=_T.INSTANT,
        path="change__actual_start_at",
        nullable=True,
        width="13ch",
        help="When a change's work began; none.",
    ),
    Field(
        name="actual-end",
        key="actual_end_at",
        label="Actual end",
        type=_T.INSTANT,
        path="change__actual_end_at",
        nullable=True,
        width="13ch",
        help="When a change's work was done; none.",
    ),
    Field(
        name="change-type",
        key="change_type",
        label="Change type",
        type=_T.CHOICE,
        path="change__type",
        values=TYPES,
        nullable=True,
        width="10ch",
        help="A change's type: standard, normal or emergency.",
    ),
    Field(
        name="change-risk",
        key="change_risk",
        label="Change risk",
        type=_T.CHOICE,
        path="change__risk",
        values={**RISKS, "": "None"},
        nullable=True,
        width="10ch",
        help="A change's risk: low, moderate or high; none.",
    ),
    Field(
        name="outcome",
        key="outcome",
        label="Outcome",
        type=_T.CHOICE,
        path="change__outcome",
        values={**OUTCOMES, "": "None"},
        nullable=True,
        width="14ch",
        help="How a change went: successful, with_issues, backed_out or failed; none.",
    ),
)
exports.register("change", "planned-start", "planned-end", "actual-start", "actual-end", "change-type", "change-risk", "outcome")
