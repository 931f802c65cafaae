"""What an action answers when it will not: an exception with a code, a sentence, and where it hurts.

REST turns these into problem details (RFC 9457), pages into a message beside the form; nothing typed is lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field: what is wrong, and what to do."""

    field: str
    message: str
    hint: str = ""


class Refused(Exception):
    """The base of every refusal; `status` is its HTTP status."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"

    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.errors = tuple(errors)


class Forbidden(Refused):
    """The actor may see the thing but may not do this to it."""

    status = 403
    code = "forbidden"


class Missing(Refused):
    """No such thing, or none that this actor may see: a stranger cannot tell which."""

    status = 404
    code = "not-found"


class Invalid(Refused):
    """The input is wrong; each error names its field."""

    status = 422
    code = "invalid"


class GuardRefused(Refused):
    """The input is well formed, but the record's state does not allow it; the errors say what is missing."""

    status = 409
    code = "guard"


class StaleVersion(Refused):
    """Somebody else changed the record in between: both sides are carried so that nothing typed is lost."""

    status = 412
    code = "stale-version"

    def __init__(self, message: str, *, version: int, current: Mapping[str, Any], attempted: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.version = version
        self.current = dict(current)
        self.attempted = dict(attempted)


def first_line(error: BaseException) -> str:
    """Return what an error says, without its details."""
    return str(error).strip().split("\n")[0]
