"""Addresses of changes; a change's own page is its ticket's."""

from django.urls import path

from pilothouse.changes import views

urlpatterns = [
    path("changes", views.changes, name="changes"),
    path("changes/new", views.new, name="change-new"),
    path("changes/<str:number>/plan", views.plan, name="change-plan"),
]
