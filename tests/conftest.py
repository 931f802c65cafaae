"""The whole suite's ground. The database is made by the plugin pilothouse.platform.testing.cluster (see pyproject.toml)."""
