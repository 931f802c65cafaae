from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    """Files and interfaces of other systems."""

    name = "pilothouse.connectors"
    label = "connectors"

    def ready(self) -> None:
        from pilothouse.platform import outbox

        outbox.subscribe("import.requested", "connectors.run_import")
