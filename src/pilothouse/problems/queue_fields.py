"""What problems add to the queue language: the field known-error, and the words is:known-error and is:promise-missed."""

from pilothouse.tickets.engine import fields
from pilothouse.tickets.engine.fields import Field, FieldType
from pilothouse.tickets.engine.queue_language import flags
from pilothouse.tickets.engine.queue_language.flags import OPEN, Flag
from pilothouse.tickets.engine.queue_language.plan import All, Context, Operator, Opposite, Plan, Test

fields.register(
    Field(
        name="known-error",
        key="known_error_at",
        label="Known error since",
        type=FieldType.INSTANT,
        path="problem__known_error_at",
        nullable=True,
        width="13ch",
        help="Since when a problem is a known error; known-error:none is not one.",
    ),
)


def _known(context: Context) -> Plan:
    return Opposite(Test("problem__known_error_at", Operator.NULL))


def _overdue(context: Context) -> Plan:
    return All((OPEN, Test("problem__promised_on", Operator.LESS, context.now.date())))


flags.register(
    {
        "known-error": Flag(_known, "A problem that is a known error."),
        "promise-missed": Flag(_overdue, "An open problem whose fix was promised for a day that has passed."),
    }
)
