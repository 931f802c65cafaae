from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "pilothouse.demo"
    label = "demo"
