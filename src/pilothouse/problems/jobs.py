"""The worker's part of problems."""

from pilothouse.problems import candidate_jobs, problem_jobs  # noqa: F401  their tasks are found through this module
