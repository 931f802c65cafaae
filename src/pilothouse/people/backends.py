"""Sign-in by e-mail address and password; single sign-on will stand beside it as another backend."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from pilothouse.people.models import User


class EmailBackend(ModelBackend):
    """Check an e-mail address, in any letter case, and a password; an inactive person does not come in."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        email = username or kwargs.get("email")
        if not email or password is None:
            return None
        user = User.objects.filter(email__iexact=email.strip()).first()
        if user is None:
            make_password(password)  # as slow as a check, so that a guess does not tell which addresses exist
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id: int) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()
