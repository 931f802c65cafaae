"""Who signs in to look around the demo; light, as the command line prints it."""

from pilothouse.demo.engine.company import DOMAIN, SITES
from pilothouse.demo.engine.organisation import SIGN_INS

PASSWORD = "larkfield-demo"  # noqa: S105  printed to whoever runs the demo


def sign_ins() -> str:
    """Return the addresses to sign in with, one a role, and their password, as lines."""
    people = [(role, f"{handle}@{DOMAIN}", name, title, SITES[site].city) for handle, name, role, title, site, _ in SIGN_INS]
    lines = [f"  {role:<14} {email:<22} {name}, {title}, {city}" for role, email, name, title, city in people]
    return "\n".join([f"Sign in as one of these; the password of each is {PASSWORD}", *lines])
