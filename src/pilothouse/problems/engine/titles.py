"""A title for a problem out of those of its incidents; pure."""

import re
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]{3,}")
_MOST = 1000


def proposed(titles: Sequence[str]) -> str:
    """Return the title whose words most of the others share, for its length; the first of equals. "" where there is none.

    >>> proposed(["VPN drops", "printer is out of toner", "vpn drops in calls", "VPN drops at home"])
    'VPN drops'
    """
    told = [title.strip() for title in titles[:_MOST] if title.strip()]
    words = [set(_WORD.findall(title.casefold())) for title in told]
    common = Counter(word for own in words for word in own)
    worth = [sum(common[word] - 1 for word in own) / (len(own) + 1) for own in words]
    return told[max(range(len(told)), key=lambda i: (worth[i], -i))] if told else ""
