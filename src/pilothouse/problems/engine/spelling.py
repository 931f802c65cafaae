"""Words that differ in a letter or two."""

from collections.abc import Iterator

SHORTEST = 5  # letters of a word that is taken for another


def cuts(word: str) -> Iterator[str]:
    """Yield a word and what is left of it without one of its letters; two words that share one differ in a letter or two.

    >>> sorted(set(cuts("backup")) & set(cuts("bakcup")))
    ['bacup', 'bakup']
    """
    yield word
    for i in range(1, len(word)):
        yield word[:i] + word[i + 1 :]
