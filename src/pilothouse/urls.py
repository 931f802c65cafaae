"""Every page and endpoint of the product; a room brings its own list."""

from django.urls import include, path

urlpatterns = [
    path("", include("pilothouse.api.urls")),
    path("", include("pilothouse.web.urls")),
    path("", include("pilothouse.morning.urls")),
    path("", include("pilothouse.changes.urls")),
    path("", include("pilothouse.problems.candidate_urls")),
    path("", include("pilothouse.problems.problem_urls")),
    path("", include("pilothouse.tickets.urls")),
    path("", include("pilothouse.tickets.portal_urls")),
    path("", include("pilothouse.tickets.admin_urls")),
    path("", include("pilothouse.sla.urls")),
    path("", include("pilothouse.cmdb.urls")),
    path("", include("pilothouse.people.urls")),
    path("", include("pilothouse.notifications.urls")),
    path("", include("pilothouse.connectors.urls")),
]

handler400 = "pilothouse.web.errors.bad_request"
handler403 = "pilothouse.web.errors.forbidden"
handler404 = "pilothouse.web.errors.not_found"
handler500 = "pilothouse.web.errors.server_error"
