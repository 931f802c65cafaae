"""What the portal asks when somebody requests a service: fields with a key, a label, a type and whether they are needed."""

from typing import Any


def _field(key: str, label: str, kind: str = "text", *, required: bool = False, choices: tuple[str, ...] = ()) -> dict[str, Any]:
    field: dict[str, Any] = {"key": key, "label": label, "type": kind, "required": required}
    return {**field, "choices": list(choices)} if choices else field


FORMS: dict[str, tuple[dict[str, Any], ...]] = {
    "workplace": (
        _field(
            "what",
            "What do you need?",
            "choice",
            required=True,
            choices=("Laptop", "Screen", "Dock", "Headset", "Software", "Something else"),
        ),
        _field("where", "Where do you sit?", required=True),
        _field("when", "Needed by", "date"),
    ),
    "identity": (
        _field("person", "For whom?", required=True),
        _field("access", "Which system or role?", required=True),
        _field("like", "Same access as (colleague)"),
        _field("until", "Until", "date"),
    ),
    "file-shares": (
        _field("folder", "Which folder?", required=True),
        _field("right", "Which right?", "choice", required=True, choices=("Read", "Change")),
    ),
    "email": (_field("mailbox", "Mailbox or list", required=True), _field("members", "Who shall be in it?", "long_text")),
    "remote-access": (_field("country", "From which country?"), _field("from", "From", "date"), _field("until", "Until", "date")),
    "reporting": (_field("question", "What should the report answer?", "long_text", required=True), _field("often", "How often?")),
    "hr": (_field("starter", "Name of the new starter", required=True), _field("start", "First day", "date", required=True)),
    "telephony": (_field("what", "What do you need?", required=True),),
}
