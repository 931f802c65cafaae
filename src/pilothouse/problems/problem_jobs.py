"""The worker's part of problem records: each morning fixes are judged, and what came back is reopened."""

from procrastinate.contrib.django import app

from pilothouse.platform import access, clock
from pilothouse.problems.actions.judging import judge_fixes


@app.periodic(cron="40 4 * * *")
@app.task(name="problems.judge_fixes", queueing_lock="problems.judge_fixes")
def judge(timestamp: int) -> None:
    """Bring the proofs of fix up to date, and reopen what has come back; run again it changes nothing."""
    judge_fixes(actor=access.system(), now=clock.now())
