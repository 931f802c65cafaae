"""Register the site shell with Django."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The site shell has templates, static files and template tags, and no tables."""

    name = "pilothouse.web"
    label = "web"
