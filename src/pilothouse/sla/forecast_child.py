"""What a training runs as: a process of its own, without Django, in the background of everything else."""

from pilothouse.sla.engine.forecast import training
from pilothouse.sla.engine.forecast.history import History
from pilothouse.sla.engine.forecast.training import Trained


def train(history: History, now: int) -> Trained:
    """Train a model; see training.train."""
    return training.train(history, now)
