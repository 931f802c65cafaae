"""People and teams: who signs in, in which role, and which resolver groups they belong to."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Lower

from pilothouse.platform.access import Role


class Team(models.Model):
    """A resolver group. Tickets of a restricted team are seen by its members, managers, auditors and administrators only."""

    name = models.CharField(max_length=120, unique=True)
    key = models.SlugField(max_length=60, unique=True)
    description = models.TextField(blank=True, default="")
    time_zone = models.CharField(max_length=64, default="UTC")
    is_restricted = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    version = models.IntegerField(default=1)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Finds people by their e-mail, whatever its letter case; people/actions.py makes them."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person: signs in with an e-mail address; has one role; belongs to teams. An imported person is inactive."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=160)
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in Role], default=Role.REQUESTER.value)
    title = models.CharField(max_length=160, blank=True, default="")
    site = models.CharField(max_length=120, blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    time_zone = models.CharField(max_length=64, default="UTC")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    teams = models.ManyToManyField(Team, through="Membership", related_name="members")
    version = models.IntegerField(default=1)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]
        indexes = [GinIndex(fields=["name"], name="user_name_trigrams", opclasses=["gin_trgm_ops"])]
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def initials(self) -> str:
        """Two letters for narrow columns."""
        words = self.name.split()
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words))[:2].upper()

    @property
    def is_staff(self) -> bool:
        return self.role != Role.REQUESTER.value


class Membership(models.Model):
    """A person in a team; a lead is asked first when something escalates."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    is_lead = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "team"], name="membership_once")]


class ApiToken(models.Model):
    """A key for REST: shown once, kept as a SHA-256 of its random secret; scoped, expiring, revocable."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    hash = models.BinaryField(unique=True)
    scopes = ArrayField(models.CharField(max_length=40), null=True, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_on = models.DateField(null=True)


class SignInAttempt(models.Model):
    """A failed sign-in, kept for a day: too many for one address or from one place make the next wait."""

    email = models.CharField(max_length=254)
    address = models.GenericIPAddressField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["email", "at"], name="sign_in_email"),
            models.Index(fields=["address", "at"], name="sign_in_address"),
        ]
