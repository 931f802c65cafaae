"""Addresses of service levels, a list for each subject."""

from django.urls import include, path

urlpatterns = [
    path("", include("pilothouse.sla.agreement_urls")),
    path("", include("pilothouse.sla.clock_urls")),
    path("", include("pilothouse.sla.schedule_urls")),
    path("", include("pilothouse.sla.forecast_urls")),
]
