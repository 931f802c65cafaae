"""Reading the search documents: the newest that match, ranked, with the words marked; and the lexicon that mends typing errors.

A word in 5 % of a million documents matches 50,000 of them: reading and ranking them all takes a third of a second or more. So the newest
few hundred that match are taken and only these ranked. Common words are met by walking the newest documents backwards; when that does not
fill the list, a sample of all documents tells how many matches the index would have to read: a few thousand are read, for more the
walk goes on, as the newest documents may be a burst of another kind. docs/decisions/0004-search.md has the figures.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from pilothouse.platform.models import SearchDocument

CANDIDATES = 200
_WALK = 20_000  # documents walked backwards before the index is asked
_INDEXED = 5_000  # with fewer matches in all, reading them by the index is cheaper than walking on
_FARTHEST = 250_000  # documents are walked backwards at most
_SAMPLED = 2_000  # documents of which a word's share is told
_LONGEST_QUERY = 300
_SHOWN_OF_BODY = 20_000  # characters of a long text in which words are marked
_WORD = re.compile(r"[^\W\d_]{4,30}")
_MARKED = re.compile("\x02([^\x02\x03]*)\x03")
_HEADLINE = (
    "SELECT d.id, ts_headline('english', translate(d.title, '\x02\x03', ''), q, %(whole)s),"
    " ts_headline('english', regexp_replace(left(d.body, %(most)s), '[*`\x02\x03]+|^\\s*[#>]+\\s', '', 'gn'), q, %(part)s)"
    " FROM search_document d, to_tsquery('english', %(words)s) q WHERE d.id = ANY(%(ids)s)"
)
_SIGNS = 'StartSel="\x02", StopSel="\x03"'


class Match(StrEnum):
    """How the words must stand in a document."""

    AS_TYPED = "as typed"  # all words, "phrases", -without, or
    ANY_WORD = "any word"


@dataclass(frozen=True, slots=True)
class Found:
    """One document that matches; `seq` 0 is the record's own text, another is the comment with that journal number."""

    id: int
    kind: str
    record_id: int
    seq: int
    private: bool
    rank: float


@dataclass(frozen=True, slots=True)
class Marked:
    """A document's title and the best places of its text, as safe HTML with the words found in <mark>."""

    title: str
    body: str


def _words(text: str, match: Match) -> str:
    text = clean(text)
    return " or ".join(re.findall(r"\w+", text)) if match is Match.ANY_WORD else text


def clean(text: str) -> str:
    """Return what can be searched for of a typed text: its first 300 characters, with signs that cannot be printed as spaces."""
    return "".join(each if each.isprintable() else " " for each in text[:_LONGEST_QUERY])


def find_documents(
    text: str, *, kinds: Iterable[str], private: bool, within: Q | None = None, match: Match = Match.AS_TYPED, walking: bool = True
) -> list[Found]:
    """Return the newest documents that match, at most 200, the best first and the newer among equals.

    `private` lets work notes in; `within` narrows further (to what the reader may see). Kinds with few documents, which are not
    among the newest, are found without `walking`.
    """
    words = _words(text, match)
    query = SearchQuery(words, config="english", search_type="websearch")
    documents = SearchDocument.objects.filter(kind__in=list(kinds), vector=query)
    documents = documents if private else documents.filter(private=False)
    documents = documents if within is None else documents.filter(within)
    ranked = documents.annotate(rank=SearchRank(F("vector"), query)).values_list("id", "kind", "record_id", "seq", "private", "rank")
    rows = _by_walking(ranked, words) if walking else None
    if rows is None:  # id + 0 keeps PostgreSQL from walking the whole table back in search of rare words
        rows = list(ranked.order_by((F("id") + 0).desc())[:CANDIDATES])
    return sorted((Found(*row) for row in rows), key=lambda found: (-found.rank, -found.id))


_Ranked = QuerySet[SearchDocument, Any]


def _by_walking(ranked: _Ranked, words: str) -> list[Any] | None:
    """Return the newest matches met by walking backwards; None when the index has them sooner."""
    newest = reached = _newest_id()
    width, rows = _WALK, list[Any]()
    while reached > 0 and newest - reached < _FARTHEST:
        rows += ranked.filter(id__gt=reached - width, id__lte=reached).order_by("-id")[: CANDIDATES - len(rows)]
        reached -= width
        if len(rows) >= CANDIDATES or reached <= 0:
            return rows
        if newest - reached == _WALK:
            share = max(len(rows) / _WALK, _share(words, newest))
            if share * newest < _INDEXED:
                return None
            width = max(width, int(1.5 * (CANDIDATES - len(rows)) / share))
        else:
            width *= 2
    return rows if reached <= 0 or len(rows) > CANDIDATES // 2 else None


_SHARE = """
SELECT count(*) FILTER (WHERE vector @@ websearch_to_tsquery('english', %(words)s))::float / greatest(count(*), 1)
FROM search_document TABLESAMPLE SYSTEM (%(percent)s) REPEATABLE (1)
"""


def _share(words: str, documents: int) -> float:
    """Tell from a sample in which share of all documents the words stand; PostgreSQL's own estimate knows the commonest 1,000 only."""
    with connection.cursor() as cursor:
        cursor.execute(_SHARE, {"words": words, "percent": min(100, 100 * _SAMPLED / documents)})
        return float(cursor.fetchone()[0])


def _newest_id() -> int:
    return SearchDocument.objects.order_by("-id").values_list("id", flat=True).first() or 0


def mark_words(found: Sequence[Found], text: str) -> dict[int, Marked]:
    """Return, by document id, what a page shows of these documents; call it with the few that are shown.

    Everything in the documents is escaped; only <mark> is markup.
    """
    words = " | ".join(f"{word}:*" if len(word) > 3 else word for word in re.findall(r"\w+", clean(text)))
    if not found or not words:
        return {}
    values: dict[str, Any] = {
        "words": words,
        "ids": [each.id for each in found],
        "most": _SHOWN_OF_BODY,
        "whole": f"{_SIGNS}, HighlightAll=true",
        "part": f'{_SIGNS}, MaxFragments=2, MaxWords=22, MinWords=8, FragmentDelimiter=" … "',
    }
    with connection.cursor() as cursor:
        cursor.execute(_HEADLINE, values)
        return {row[0]: Marked(_as_html(row[1]), _as_html(row[2])) for row in cursor.fetchall()}


def plain_html(text: str) -> str:
    """Return text as safe HTML, to stand beside texts with marks."""
    return escape(text)


def _as_html(text: str) -> str:
    marked = _MARKED.sub(r"<mark>\1</mark>", escape(text))
    return marked.replace("\x02", "").replace("\x03", "")


_LEARN = """
WITH place AS (SELECT last_document FROM search_learnt WHERE id = 1),
batch AS MATERIALIZED (
  SELECT d.id, d.private, d.title || ' ' || left(d.body, %(most)s) AS text FROM search_document d, place
  WHERE d.id > place.last_document ORDER BY d.id LIMIT %(at_once)s
),
words AS (
  SELECT word, count(*) documents FROM (
    SELECT DISTINCT b.id, lower(m[1]) word FROM batch b, regexp_matches(b.text, '\\m[[:alpha:]]{4,30}\\M', 'g') m WHERE NOT b.private
  ) each GROUP BY word
),
kept AS (
  INSERT INTO search_word AS w (word, documents) SELECT word, documents FROM words ORDER BY word
  ON CONFLICT (word) DO UPDATE SET documents = w.documents + EXCLUDED.documents
)
UPDATE search_learnt SET last_document = coalesce((SELECT max(id) FROM batch), last_document) WHERE id = 1
RETURNING (SELECT count(*) FROM batch)
"""


def learn_words(*, at_once: int = 10_000) -> int:
    """Learn the words of documents not yet read, at most so many; returns how many were read (0: all are learnt).

    Words of private notes are not learnt: a suggestion must not tell them. Two workers wait for each other.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO search_learnt (id, last_document) VALUES (1, 0) ON CONFLICT (id) DO NOTHING")
        cursor.execute("SELECT last_document FROM search_learnt WHERE id = 1 FOR UPDATE")
        cursor.execute(_LEARN, {"most": _SHOWN_OF_BODY, "at_once": at_once})
        return int(cursor.fetchone()[0])


_CORRECT = """
SELECT typed.word, better.word FROM unnest(%s::text[]) typed(word)
CROSS JOIN LATERAL (
  SELECT w.word FROM search_word w
  WHERE w.word %% typed.word AND w.word <> typed.word
    AND w.documents > 10 * coalesce((SELECT own.documents FROM search_word own WHERE own.word = typed.word), 0)
  ORDER BY similarity(w.word, typed.word) - 0.1 * abs(length(w.word) - length(typed.word)) + 0.03 * ln(w.documents + 1) DESC, w.word
  LIMIT 1
) better
"""


def correct_words(text: str) -> str:
    """Return the text with mistyped words mended by the lexicon, or "" when nothing in it looks mistyped.

    A word is mistyped when a word much like it occurs in more than ten times as many documents.
    """
    words = sorted({word.casefold() for word in _WORD.findall(clean(text))})
    if not words:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(_CORRECT, [words])
        better: Mapping[str, str] = dict(cursor.fetchall())
    return _WORD.sub(lambda found: better.get(found[0].casefold(), found[0]), clean(text)) if better else ""
