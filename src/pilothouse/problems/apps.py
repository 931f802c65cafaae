from django.apps import AppConfig


class ProblemsConfig(AppConfig):
    """Problems: what keeps coming back, why, and whether it is gone."""

    name = "pilothouse.problems"
    label = "problems"

    def ready(self) -> None:
        from pilothouse.problems import (  # noqa: F401  register
            acts,
            candidate_retold,
            guards,
            match_panel,
            problem_page,
            projections,
            queue_fields,
            selecting,
        )
