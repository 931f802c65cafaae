"""What is wrong with a query, as a value: where, why, and what was probably meant."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """The first thing wrong with a query: `at` and `length` mark the wrong word in its text, counted in characters."""

    at: int
    length: int
    reason: str
    suggestion: str = ""
    hint: str = ""
    unknown: tuple[str, str] | None = None  # (kind of name, name) that nobody bears

    def pointer(self, text: str) -> str:
        """Return the query with a caret under each letter of the wrong word, on two lines.

        >>> print(Mistake(6, 4, "?").pointer("-is:x grop:a"))
        -is:x grop:a
              ^^^^
        """
        flat = "".join(" " if each.isspace() else each for each in text)
        return f"{flat}\n{' ' * self.at}{'^' * max(1, self.length)}"

    def mended(self, text: str) -> str:
        """Return the query with the suggestion in the wrong word's place (the query itself when there is none)."""
        return text[: self.at] + self.suggestion + text[self.at + self.length :] if self.suggestion else text

    @property
    def message(self) -> str:
        """The reason, the suggestion and the hint as one line."""
        meant = f"Did you mean {self.suggestion}?" if self.suggestion else ""
        return " ".join(part for part in (self.reason, meant, self.hint) if part)


def closest(word: str, known: Iterable[str]) -> str:
    """Return the known word nearest to a mistyped one, or "" when none is near.

    >>> closest("netwrok", ["network", "database"]), closest("xyz", ["network"])
    ('network', '')
    """
    by_folded = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else ""
