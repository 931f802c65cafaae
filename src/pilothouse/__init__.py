"""Pilothouse: the room IT operations is run from."""

__version__ = "0.1.0"
