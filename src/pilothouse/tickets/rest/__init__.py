"""Tickets over REST."""

from pilothouse.tickets.rest.conversation import router as conversation
from pilothouse.tickets.rest.records import router as records
from pilothouse.tickets.rest.relations import router as relations
from pilothouse.tickets.rest.views import router as views

ROUTERS = (("/tickets", records), ("/tickets", conversation), ("/tickets", relations), ("", views))
