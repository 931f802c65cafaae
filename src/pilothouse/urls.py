"""Every page and endpoint of the product; a room brings its own list."""

from importlib.util import find_spec

from django.urls import include, path

urlpatterns = [
    path("", include("pilothouse.web.urls")),
]
