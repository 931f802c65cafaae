from django.apps import AppConfig


class CmdbConfig(AppConfig):
    """Services, configuration items and how they depend on one another."""

    name = "pilothouse.cmdb"
    label = "cmdb"

    def ready(self) -> None:
        from pilothouse.cmdb import documents, retold  # noqa: F401  registers what search reads and how the journal is told
