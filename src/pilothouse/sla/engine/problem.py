"""What is wrong with a definition, of a schedule or of an agreement; pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong and where, why, and an example of what is right; a warning does not keep a definition from being saved."""

    field: str
    message: str
    hint: str = ""
    is_warning: bool = False
