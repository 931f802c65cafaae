"""Addresses of the shell."""

from django.urls import path

from pilothouse.web import home, journal_page, views

urlpatterns = [
    path("", home.home, name="home"),
    path("journal", journal_page.newest, name="journal"),
    path("theme", views.theme, name="theme"),
    path("palette", views.palette_entries, name="palette"),
    path("design", views.design, name="design"),
]
