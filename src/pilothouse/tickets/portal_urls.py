"""Addresses of the requester's portal."""

from django.urls import path

from pilothouse.tickets import portal

urlpatterns = [
    path("portal", portal.own_tickets, name="portal"),
    path("portal/raise", portal.choose, name="portal-raise"),
    path("portal/raise/other", portal.raise_other, name="portal-raise-other"),
    path("portal/raise/service/<int:service_id>", portal.raise_for_service, name="portal-raise-service"),
    path("portal/tickets/<str:number>", portal.ticket, name="portal-ticket"),
    path("portal/tickets/<str:number>/answer", portal.answer, name="portal-answer"),
    path("portal/tickets/<str:number>/act", portal.act, name="portal-act"),
]
