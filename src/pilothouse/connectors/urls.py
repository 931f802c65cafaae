"""Addresses of imports."""

from django.urls import path

from pilothouse.connectors import views

urlpatterns = [
    path("import", views.imports, name="import"),
    path("import/<int:run_id>", views.import_run, name="import-run"),
    path("import/<int:run_id>/rejects.csv", views.import_rejects, name="import-rejects"),
]
