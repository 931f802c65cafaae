"""The pictures of weeks: a scale, days, and for a proof its figures week by week."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.problems.candidate_pictures import HEIGHT, WIDTH, scale_to, weeks_of
from pilothouse.problems.models import Proof
from pilothouse.problems.proof_picture import picture

FIRST = datetime(2026, 3, 2, tzinfo=UTC)


def test_weeks_have_a_scale_and_days_and_marks_say_when() -> None:
    instant = int((FIRST + timedelta(days=10)).timestamp())
    kept = {"first": 20514, "counts": [0, 7], "usual": [1.0, 1.5], "marks": [[instant, "onset"]]}
    weeks = weeks_of({"weeks": kept})
    assert weeks is not None
    assert (weeks.axes.top, weeks.axes.half, weeks.most) == (10, 5, 7)
    assert (weeks.axes.first, weeks.axes.middle, weeks.axes.last) == ("2 Mar 2026", "9 Mar 2026", "16 Mar 2026")
    (mark,) = weeks.marks
    assert (mark.label, mark.day) == ("onset", "12 Mar 2026") and float(mark.x) == pytest.approx(WIDTH * 5 / 7, abs=0.1)
    assert float(weeks.bars[0].y) == pytest.approx(HEIGHT * 0.3)


@given(most=st.floats(0, 1e9))
def test_a_scale_holds_what_it_is_for_and_not_far_more(most: float) -> None:
    top = scale_to(most)
    assert max(most, 1) <= top <= max(2, 2.5 * most) and top % 2 == 0


def test_a_proof_tells_its_weeks_with_their_days() -> None:
    told = {"before": [5, 6], "after": [[1, 5.2, 2.0, 9.0]], "came": 1, "expected": 5.2}
    drawn = picture(Proof(fixed_at=FIRST, told=told))
    assert drawn is not None
    assert [(week.since, week.came, week.expected, week.between) for week in drawn.weeks] == [
        ("16 Feb 2026", 5, "", ""),
        ("23 Feb 2026", 6, "", ""),
        ("2 Mar 2026", 1, "5.2", "2 to 9"),
    ]
    assert (drawn.axes.first, drawn.axes.last, drawn.axes.top, drawn.fixed) == ("16 Feb 2026", "9 Mar 2026", 10, "2 Mar 2026")
    assert [bar.is_after for bar in drawn.bars] == [False, False, True]
    assert picture(Proof(fixed_at=FIRST, told={"before": [], "after": []})) is None
