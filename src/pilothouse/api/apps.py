from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "pilothouse.api"
    label = "api"
