from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """People, teams, roles, sign-in and API tokens."""

    name = "pilothouse.people"
    label = "people"
