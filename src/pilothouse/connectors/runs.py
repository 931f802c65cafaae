"""Import runs: done here and now for the command line, or by a worker for a page, each with a row that says how far it is."""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from pilothouse.connectors.actions import end_import, note_progress, request_import
from pilothouse.connectors.engine.mapping_file import prepared
from pilothouse.connectors.engine.profiles import find_profile
from pilothouse.connectors.engine.tables import BadFile
from pilothouse.connectors.importing import Progress, Report, Request, run_import
from pilothouse.connectors.models import ImportRun
from pilothouse.connectors.profiles import PROFILES
from pilothouse.platform import clock
from pilothouse.platform.access import Actor

REJECTS = "rejects.csv"
_SECONDS_BETWEEN = 1.0  # between two notes of progress


def folder_of(run: ImportRun) -> Path:
    """Return where a run's files and its rejects lie: outside any web root."""
    return Path(settings.DATA) / "imports" / str(run.pk)


def keep_files(run: ImportRun, files: "Sequence[UploadedFile[bytes]]") -> None:
    """Write uploaded files into the run's folder, in pieces."""
    folder = folder_of(run)
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        with (folder / str(file.name)).open("wb") as kept:
            for chunk in file.chunks():
                kept.write(chunk)


def run_here(*, actor: Actor, request: Request, progress: Progress) -> Report:
    """Import now, in this process, and note the run unless it is dry."""
    if request.dry:
        return run_import(actor=actor, request=request, now=clock.now(), progress=progress)
    names = [path.name for path in request.paths]
    run = request_import(actor=actor, profile=request.profile.name, files=names, options={}, is_dry=False, now=clock.now(), waiting=False)
    return _followed(run, actor, request, progress)


def run_waiting(*, actor: Actor, run: ImportRun) -> Report:
    """Do a run that a page asked for. Run again after a crash it continues, as what came in is passed over."""
    folder = folder_of(run)
    try:
        profile = prepared(find_profile(PROFILES, run.profile), **run.options)
    except BadFile as fault:
        end_import(actor=actor, run=run, report={}, fault=str(fault), now=clock.now())
        raise
    request = Request(profile, [folder / name for name in run.files], dry=run.is_dry, rejects=folder / REJECTS)
    report = _followed(run, actor, request, lambda stage, done, total: None)
    for name in run.files:  # the originals have served; what was rejected stays
        (folder / name).unlink(missing_ok=True)
    return report


def _followed(run: ImportRun, actor: Actor, request: Request, progress: Progress) -> Report:
    last = datetime.min.replace(tzinfo=clock.now().tzinfo)

    def note(stage: str, done: int, total: int) -> None:
        nonlocal last
        progress(stage, done, total)
        now = clock.now()
        if (now - last).total_seconds() >= _SECONDS_BETWEEN:
            last = now
            note_progress(run=run, stage=stage, done=done, total=total, now=now)

    try:
        report = run_import(actor=actor, request=request, now=clock.now(), progress=note)
    except BadFile as fault:
        end_import(actor=actor, run=run, report={}, fault=str(fault), now=clock.now())
        raise
    end_import(actor=actor, run=run, report=report.as_json(), fault="", now=clock.now())
    return report


def forget_files(run: ImportRun) -> None:
    """Remove a run's folder."""
    shutil.rmtree(folder_of(run), ignore_errors=True)
