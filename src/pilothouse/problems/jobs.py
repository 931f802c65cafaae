"""The worker's part of problems."""

from pilothouse.problems import candidate_jobs  # noqa: F401  its tasks are found through this module
