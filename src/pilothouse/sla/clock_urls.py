"""Addresses of clocks and escalations."""

from django.urls import path

from pilothouse.sla import clock_views

urlpatterns = [
    path("tickets/<str:number>/clocks", clock_views.proof, name="ticket-clocks"),
    path("escalations/<int:escalation_id>/acknowledge", clock_views.acknowledge, name="escalation-acknowledge"),
]
