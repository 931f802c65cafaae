"""The form that asks for an import."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from pilothouse.connectors.engine.mapping_file import prepared
from pilothouse.connectors.engine.tables import BadFile
from pilothouse.connectors.profiles import PROFILES
from pilothouse.platform.time_zones import known_zones
from pilothouse.tickets.actions.attaching import clean_name

MOST_FILES = 10
_LARGEST_MAPPING = 100_000


class _Files(forms.ClearableFileInput):
    allow_multiple_selected = True


class _FilesField(forms.FileField):
    """Several files in one field."""

    def __init__(self, **named: Any) -> None:
        super().__init__(widget=_Files(), **named)

    def clean(self, data: Any, initial: Any = None) -> "list[UploadedFile[bytes]]":
        files: Sequence[Any] = data if isinstance(data, list | tuple) else [data]
        return [super(_FilesField, self).clean(file, initial) for file in files]


class ImportForm(forms.Form):
    """Files, how they are read, and whether it is a rehearsal."""

    profile = forms.ChoiceField(label="Profile", help_text="How the files are read.")
    sources = _FilesField(label="Files", help_text="CSV, XLSX or JSON, each may be packed as .gz; an activity log goes with its incidents.")
    mapping = forms.FileField(
        label="Mapping file", required=False, help_text="TOML; needed for the generic profile, optional for the others."
    )
    time_zone = forms.CharField(label="Time zone of the files", initial="UTC", max_length=60, help_text="For instance Europe/Lisbon.")
    is_dry = forms.BooleanField(label="Dry run: only say what would happen", required=False, initial=True)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        field = self.fields["profile"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(profile.name, profile.label) for profile in PROFILES.values()]

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data["time_zone"]).strip()
        if zone not in known_zones():
            raise forms.ValidationError("There is no such time zone. For instance UTC or Europe/Lisbon.")
        return zone

    def clean_sources(self) -> "list[UploadedFile[bytes]]":
        files = list(self.cleaned_data["sources"])
        for file in files:
            file.name = clean_name(file.name)
        if len(files) > MOST_FILES:
            raise forms.ValidationError(f"At most {MOST_FILES} files at once.")
        if len({file.name for file in files}) < len(files):
            raise forms.ValidationError("Two files have the same name.")
        return files

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file = cleaned.get("mapping")
        text = ""
        if file is not None:
            try:
                text = file.read(_LARGEST_MAPPING).decode()
            except UnicodeDecodeError:
                self.add_error("mapping", "The mapping file is not UTF-8 text.")
                return cleaned
        if "profile" in cleaned and "time_zone" in cleaned:
            try:
                prepared(PROFILES[cleaned["profile"]], mapping=text, time_zone=cleaned["time_zone"])
            except BadFile as fault:
                self.add_error("mapping", str(fault))
        cleaned["options"] = {"mapping": text, "time_zone": cleaned.get("time_zone", "UTC")}
        return cleaned
