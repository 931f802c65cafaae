"""Addresses of the forecast."""

from django.urls import path

from pilothouse.sla import forecast_views

urlpatterns = [
    path("service-levels/forecast", forecast_views.forecast, name="sla-forecast"),
    path("service-levels/forecast/train", forecast_views.train, name="sla-forecast-train"),
]
