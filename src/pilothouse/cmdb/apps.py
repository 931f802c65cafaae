from django.apps import AppConfig


class CmdbConfig(AppConfig):
    """Services, configuration items and how they depend on one another."""

    name = "pilothouse.cmdb"
    label = "cmdb"

    def ready(self) -> None:
        from pilothouse.cmdb import documents  # noqa: F401  registers what search reads, once models are loaded
