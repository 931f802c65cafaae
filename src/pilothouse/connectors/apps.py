from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    name = "pilothouse.connectors"
    label = "connectors"
