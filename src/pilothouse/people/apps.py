from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """People, teams, roles, sign-in and API tokens."""

    name = "pilothouse.people"
    label = "people"

    def ready(self) -> None:
        from pilothouse.people import retold  # noqa: F401  registers how the journal is told, once models are loaded
