from django.apps import AppConfig


class TicketsConfig(AppConfig):
    """The work item and the desk."""

    name = "pilothouse.tickets"
    label = "tickets"

    def ready(self) -> None:
        from pilothouse.tickets import panels, projections  # noqa: F401  registers the story, what search reads, what other rooms show
