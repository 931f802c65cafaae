"""The site of tests/serve_site.py with an agreement since ever and a forecast trained on a history at random."""

from tests import serve_site  # isort: split

from dataclasses import replace
from datetime import timedelta

import numpy as np
from django.db import transaction

from pilothouse.people.models import Team, User
from pilothouse.platform import clock
from pilothouse.sla import forecasting, projections
from pilothouse.sla.actions.forecasting import end_training, fail_training, request_training
from pilothouse.sla.engine.forecast.history import AlwaysOpen
from pilothouse.sla.engine.forecast.training import train
from pilothouse.tickets.models import Ticket
from tests.sla.desk_of_agreements import agreement, target
from tests.sla.forecast_histories import history

_seed_site = serve_site.seed
LONG = "Desktop and branch equipment, Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"


def seed() -> dict[str, str]:
    """Seed the site as ever, then train: one broke off, one judges."""
    sessions = _seed_site()
    now = clock.now()
    adam = serve_site.actor(User.objects.get(email="adam@example.org"))
    agreement(adam, "Incidents", target(60), now=now - timedelta(days=7))
    Team.objects.filter(name="Workplace").update(name=LONG)
    teams = [str(pk) for pk in Team.objects.order_by("pk").values_list("pk", flat=True)]
    broken = request_training(actor=adam, now=now - timedelta(hours=2))
    fail_training(actor=adam, model_id=broken.pk, fault="MemoryError: the machine was full", now=now)
    known = history(11, 1500)
    known = replace(known, names={**known.names, "group": teams}, hours=(AlwaysOpen(), AlwaysOpen()))
    asked = request_training(actor=adam, now=now)
    trained = train(known, int(np.max(known.at)) + 1)
    end_training(actor=adam, model_id=asked.pk, trained=trained, now=now)
    with transaction.atomic():
        projections.recount(list(Ticket.objects.values_list("pk", flat=True)))
    forecasting.refresh(now)
    return sessions


serve_site.seed = seed

if __name__ == "__main__":
    serve_site.main()
