from django.apps import AppConfig


class ProblemsConfig(AppConfig):
    """Problems: what keeps coming back, why, and whether it is gone."""

    name = "pilothouse.problems"
    label = "problems"

    def ready(self) -> None:
        from pilothouse.problems import acts, candidate_retold, guards, match_panel, problem_page, projections  # noqa: F401  register
        from pilothouse.problems import queue_fields  # noqa: F401  registers its words
