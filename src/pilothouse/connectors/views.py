"""Importing from a page: choose files and a profile, rehearse, import, watch it, fetch what was rejected."""

from typing import Any

from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from pilothouse.connectors.actions import request_import
from pilothouse.connectors.forms import ImportForm
from pilothouse.connectors.models import ImportRun
from pilothouse.connectors.profiles import PROFILES
from pilothouse.connectors.runs import REJECTS, folder_of, forget_files, keep_files
from pilothouse.people.doors import signed_in
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Missing

_RUNS_SHOWN = 30
_KINDS = {"person": "People", "team": "Groups", "service": "Services", "ci": "CIs", "category": "Categories"}
_COUNTS = {
    "rows": "Rows read",
    "tickets_new": "New tickets",
    "tickets_continued": "Tickets continued",
    "entries": "Journal entries",
    "rows_known": "Rows that came in before",
    "rejected": "Rows rejected",
}


@require_http_methods(["GET", "POST"])
@signed_in(Capability.IMPORT)
def imports(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Show the form and the latest runs; take an import on."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        run = _take_on(form, actor)
        return HttpResponseRedirect(reverse("import-run", args=[run.pk]))
    runs = ImportRun.objects.select_related("requested_by")[:_RUNS_SHOWN]
    shown = {"form": form, "runs": runs, "profiles": PROFILES.values()}
    return render(request, "connectors/imports.html", shown, status=422 if form.is_bound else 200)


def _take_on(form: ImportForm, actor: Actor) -> ImportRun:
    """Keep the files before the worker hears of the run: both come with the commit."""
    files = form.cleaned_data["sources"]
    run: ImportRun | None = None
    try:
        with transaction.atomic():
            run = request_import(
                actor=actor,
                profile=form.cleaned_data["profile"],
                files=[file.name for file in files],
                options=form.cleaned_data["options"],
                is_dry=form.cleaned_data["is_dry"],
                now=clock.now(),
            )
            keep_files(run, files)
    except BaseException:
        if run is not None:
            forget_files(run)
        raise
    return run


@require_GET
@signed_in(Capability.IMPORT)
def import_run(request: HttpRequest, actor: Actor, run_id: int) -> HttpResponse:
    """Show how far a run is and what came of it; the page asks again while it runs."""
    run = _run(run_id)
    template = "connectors/parts/run.html" if request.headers.get("HX-Request") else "connectors/run.html"
    return render(request, template, {"run": run, **_told(run)})


def _run(run_id: int) -> ImportRun:
    run = ImportRun.objects.select_related("requested_by").filter(pk=run_id).first()
    if run is None:
        raise Missing("There is no such import.")
    return run


def _told(run: ImportRun) -> dict[str, Any]:
    counts = run.report.get("counts", {})
    added = run.report.get("added", {})
    return {
        "profile": PROFILES[run.profile].label if run.profile in PROFILES else run.profile,
        "is_running": run.state in (ImportRun.State.WAITING, ImportRun.State.RUNNING),
        "percent": min(100, 100 * run.done // run.total) if run.total else 0,
        "counts": [(label, counts[name]) for name, label in _COUNTS.items() if name in counts],
        "added": [
            (label, added[kind]["count"], added[kind]["names"]) for kind, label in _KINDS.items() if added.get(kind, {}).get("count")
        ],
        "warnings": run.report.get("warnings", {}).items(),
        "has_rejects": bool(counts.get("rejected")) and (folder_of(run) / REJECTS).exists(),
        "nothing_new": run.state == ImportRun.State.DONE and not counts.get("entries") and not counts.get("rejected"),
    }


@require_GET
@signed_in(Capability.IMPORT)
def import_rejects(request: HttpRequest, actor: Actor, run_id: int) -> HttpResponseBase:
    """Hand out a run's rejected rows, with why."""
    path = folder_of(_run(run_id)) / REJECTS
    if not path.exists():
        raise Missing("This import rejected nothing.")
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=f"import-{run_id}-rejects.csv", content_type="text/csv; charset=utf-8"
    )
