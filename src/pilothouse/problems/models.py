"""What a problem has beyond the ticket that it is, the evidence frozen into it, and what the miner found."""

from django.db import models
from django.db.models import Q

from pilothouse.people.models import User
from pilothouse.tickets.models import Ticket


class Problem(models.Model):
    """The detail of a ticket of kind problem: a projection of its journal (problems/engine/detail.py folds it)."""

    ticket = models.OneToOneField(Ticket, primary_key=True, on_delete=models.CASCADE, related_name="problem")
    cause = models.TextField(blank=True, default="")
    whys = models.JSONField(default=list)
    workaround = models.TextField(blank=True, default="")
    known_error_at = models.DateTimeField(null=True)
    promised_on = models.DateField(null=True)
    weekly_hours = models.FloatField(null=True)
    no_fix_reason = models.TextField(blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["known_error_at"], name="problem_known_error", condition=Q(known_error_at__isnull=False))]


class Evidence(models.Model):
    """What was known when a problem was opened, or came back: a finding as the miner gave it, never changed; its hash is journalled."""

    problem = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="evidence")
    recorded_at = models.DateTimeField()
    found = models.JSONField()  # problems/data.py's form of a candidate: paragraph, facets, rhythm, causes, cost, tests
    ticket_ids = models.JSONField(default=list)
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ("id",)


class Signature(models.Model):
    """What a problem's incidents have in common, learnt from them (problems/engine/matching.py); new incidents are held against it."""

    problem = models.OneToOneField(Ticket, primary_key=True, on_delete=models.CASCADE, related_name="signature")
    learnt = models.JSONField()
    incidents = models.IntegerField()
    learnt_at = models.DateTimeField()


class Proof(models.Model):
    """Whether a fix helped, as last looked at (problems/engine/proof.py): the weeks before and after, and the verdict."""

    problem = models.OneToOneField(Ticket, primary_key=True, on_delete=models.CASCADE, related_name="proof")
    change = models.ForeignKey(Ticket, null=True, on_delete=models.SET_NULL, related_name="+")
    fixed_at = models.DateTimeField()
    verdict = models.CharField(max_length=12)  # early, fixed, reduced, none
    told = models.JSONField()
    hours_saved_weekly = models.FloatField(null=True)
    judged_at = models.DateTimeField()


class MiningRun(models.Model):
    """One look over the tickets: what was read, how long it took, and what keeps a new ticket quick to place."""

    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    since = models.DateTimeField(null=True)
    stage = models.CharField(max_length=12, blank=True, default="")  # what it is at while it runs: reading, mining, keeping
    ticket_count = models.IntegerField(default=0)
    family_count = models.IntegerField(default=0)
    group_count = models.IntegerField(default=0)
    seconds = models.FloatField(null=True)
    remarks = models.JSONField(default=list)
    imbalances = models.JSONField(default=list)
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ("-id",)


CANDIDATE_STATES = {"open": "Open", "dismissed": "Dismissed", "taken": "Made a problem", "gone": "No longer found"}


class Candidate(models.Model):
    """Something that keeps coming back, as the latest run found it; it keeps its identity from run to run by the tickets it shares."""

    state = models.CharField(max_length=12, choices=list(CANDIDATE_STATES.items()), default="open")
    run = models.ForeignKey(MiningRun, null=True, on_delete=models.SET_NULL, related_name="candidates")
    rank = models.IntegerField()
    title = models.CharField(max_length=250)
    found = models.JSONField()
    ticket_count = models.IntegerField()
    weekly_hours = models.FloatField(null=True)
    first_found_at = models.DateTimeField()
    last_found_at = models.DateTimeField()
    raised_after = models.IntegerField(null=True)  # tickets from the first of them until the evidence sufficed
    raised_at = models.DateTimeField(null=True)
    problem = models.ForeignKey(Ticket, null=True, on_delete=models.SET_NULL, related_name="candidates")
    dismissed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    dismissed_at = models.DateTimeField(null=True)
    dismissed_because = models.TextField(blank=True, default="")
    dismissed_found = models.JSONField(null=True)  # the evidence that was dismissed: it stays away until it changes
    returned_at = models.DateTimeField(null=True)  # when the evidence had changed enough (problems/engine/standing.py)
    returned_because = models.CharField(max_length=250, blank=True, default="")

    class Meta:
        ordering = ("rank", "id")
        indexes = [models.Index(fields=["state", "rank"], name="candidate_by_rank")]


class CandidateTicket(models.Model):
    """A ticket of a candidate."""

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="members")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["candidate", "ticket"], name="candidate_ticket_once")]


class TicketWatch(models.Model):
    """Where the watch over arriving tickets stands; one row. What is computed here can be computed anew, so it is not journalled."""

    state = models.BinaryField(default=bytes)  # problems/engine/streaming.py's, as packed JSON; empty before the first look
    last_ticket_id = models.BigIntegerField(default=0)
    joined = models.JSONField(default=dict)  # alarm number -> candidate
    atlas = models.BinaryField(default=bytes)  # problems/engine/atlas.py's, packed, as the latest look left it; empty without texts
    atlas_run = models.BigIntegerField(default=0)  # the look that left it
    grouped_by = models.BigIntegerField(default=0)  # the look by whose atlas the state's families were made


MATCH_STATES = {"proposed": "Proposed", "linked": "Linked", "declined": "Declined"}


class Match(models.Model):
    """An incident that looks like an open problem or known error: linked, proposed for linking, or declined, and why."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="problem_matches")
    problem = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="matched")
    state = models.CharField(max_length=12, choices=list(MATCH_STATES.items()), default="proposed")
    score = models.FloatField()
    reason = models.CharField(max_length=400)
    found_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "problem"], name="match_once")]
        indexes = [models.Index(fields=["problem", "state"], name="match_by_problem")]
