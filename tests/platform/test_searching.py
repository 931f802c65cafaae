"""However common the words and wherever they stand, the newest documents that bear them are found, and what is read for it is bounded."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pilothouse.platform.searching import CANDIDATES, find_documents

pytestmark = pytest.mark.django_db
_OLD, _BURST = 26_000, 22_000  # the burst is longer than the first walk


_WORDS = ("alarm", "ledger", "quarry", "zeppelin", "ledger quarry", "mill -ledger", "nowhere")
_FILL = """
INSERT INTO search_document (kind, record_id, seq, private, title, body)
SELECT 'ticket', n, 0, false, CASE WHEN n > %(old)s THEN concat_ws(' ', 'alarm', CASE WHEN n %% 300 = 0 THEN 'quarry' END) ELSE
  concat_ws(' ', 'mill', CASE WHEN n %% 2 = 0 THEN 'ledger' END, CASE WHEN n %% 40 = 0 THEN 'quarry' END,
    CASE WHEN n %% 9000 = 7 THEN 'zeppelin' END)
END, '' FROM generate_series(1, %(all)s) n
UNION ALL SELECT 'ci', 1, 0, false, 'ledger host', ''
"""
_NEWEST = """
SELECT id FROM search_document WHERE kind = 'ticket' AND vector @@ websearch_to_tsquery('english', %s) ORDER BY id DESC LIMIT %s
"""


def test_the_newest_that_bear_the_words_are_found_and_little_is_read_for_it() -> None:
    """Old documents have words of every share; behind them is a burst in which one other word stands."""
    with connection.cursor() as cursor:
        cursor.execute(_FILL, {"old": _OLD, "all": _OLD + _BURST})
        cursor.execute("ANALYZE search_document")
        for words in _WORDS:
            found = find_documents(words, kinds=("ticket",), private=True)
            cursor.execute(_NEWEST, [words, CANDIDATES])
            assert sorted((each.id for each in found), reverse=True) == [row[0] for row in cursor.fetchall()], words
    with CaptureQueriesContext(connection) as taken:  # a common word behind the burst: its matches are not all read
        assert len(find_documents("ledger", kinds=("ticket",), private=True)) == CANDIDATES
    assert not [query for query in taken.captured_queries if "+ 0" in query["sql"]]
    assert len(taken) <= 5
    with CaptureQueriesContext(connection) as taken:
        assert [each.kind for each in find_documents("ledger", kinds=("ci",), private=True, walking=False)] == ["ci"]
    assert len(taken) == 1
