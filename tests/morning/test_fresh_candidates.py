"""The line of the review that names what keeps coming back since the last one."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pilothouse.people.testing import NamedPeople
from pilothouse.platform import clock
from tests.organisation import NOW
from tests.problems.candidates_by_hand import found, kept, opened

pytestmark = pytest.mark.django_db


def test_it_names_what_the_reader_may_see_and_reads_no_evidence_for_it(people: NamedPeople) -> None:
    mixed = opened(people, 6) + opened(people, 3, group="Payroll", title="Garnishment of wages")
    mostly = opened(people, 2) + opened(people, 5, group="Payroll", title="Severance")
    kept(found(opened(people, 5, title="Disk full"), 1, "Disk full"), found(mixed, 2, "Garnishment"), found(mostly, 3, "Severance"))
    for handle, told in (("mona", ("Disk full", "Garnishment", "Severance")), ("ana", ("Disk full", "Tunnel drops"))):
        with clock.at(NOW + timedelta(hours=1)), CaptureQueriesContext(connection) as asked:
            page = people.client(handle).get("/morning").content.decode()
        assert f"{len(told)} new candidates" in page
        assert all(title in page for title in told)
        assert (handle == "mona") or ("Garnishment" not in page and "Severance" not in page)
        assert not any('"problems_candidate"."found"' in query["sql"] for query in asked)
    with clock.at(NOW + timedelta(days=3)):
        assert "new candidate" not in people.client("mona").get("/morning").content.decode()
