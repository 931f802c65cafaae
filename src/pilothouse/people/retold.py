"""How people and teams are spoken of in the journal."""

from django.urls import reverse

from pilothouse.people.models import Team, User
from pilothouse.platform import retelling

_PERSON_VERBS = {
    "person.added": "added",
    "person.changed": "changed",
    "person.password_set": "set the password of",
    "person.token_issued": "issued an API token of",
    "person.token_revoked": "revoked an API token of",
    "person.signed_in": "signed in as",
    "person.signed_out": "signed out as",
    "person.mail_tried": "sent a test mail to",
    "person.notifications_set": "set the notifications of",
    "person.sign_in_failed": "refused a sign-in as",
}
_TEAM_VERBS = {"team.added": "added", "team.changed": "changed", "team.members_set": "set the members of"}

retelling.register(
    "person",
    retelling.Kind(
        "person",
        lambda ids: dict(User.objects.filter(pk__in=list(ids)).values_list("id", "name")),
        lambda pk, name: reverse("person", args=[pk]),
        {"teams": "team"},
        _PERSON_VERBS,
    ),
)
retelling.register(
    "team",
    retelling.Kind(
        "team",
        lambda ids: dict(Team.objects.filter(pk__in=list(ids)).values_list("id", "name")),
        lambda pk, name: reverse("team", args=[pk]),
        {"members": "person", "leads": "person"},
        _TEAM_VERBS,
    ),
)
