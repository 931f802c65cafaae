"""The built wheel, installed into an empty folder and run from elsewhere: everything that the product needs is in it."""

import importlib.util
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from pilothouse.platform import embedded
from tests import trees

ROOT = Path(__file__).resolve().parents[1]
pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling, which builds the wheel, is not installed"),
]
_LOOK = """
import pathlib, sys
import django
django.setup()
import pilothouse
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from django.urls import get_resolver
root = pathlib.Path(pilothouse.__file__).resolve().parent
get_resolver().url_patterns  # every page's module
assert pathlib.Path(get_template("web/base.html").origin.name).is_relative_to(root)
assert pathlib.Path(finders.find("pilothouse/js/live.js")).is_relative_to(root)
ours = [pathlib.Path(m.__file__) for name, m in sys.modules.items() if name.split(".")[0] == "pilothouse"]
assert all(path.is_relative_to(root) for path in ours), ours
print(root)
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder with the wheel in `dist` and what was installed of it in `site`; nothing else is there."""
    with trees.throw_away_folder() as folder:
        _run(folder, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), str(ROOT))
        (wheel,) = (folder / "dist").glob("*.whl")
        quiet = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", "--target"]
        _run(folder, "-m", "pip", "install", *quiet, str(folder / "site"), str(wheel))
        yield folder


def _run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the folder, with what is installed there before all else."""
    clean = trees.clean_environment(folder / "data", trees.free_port(), PYTHONPATH=str(folder / "site"))
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=clean | environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_every_file_of_the_source_is_in_the_wheel(place: Path) -> None:
    (wheel,) = (place / "dist").glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("pilothouse/")}
    source = {
        str(p.relative_to(ROOT / "src")) for p in (ROOT / "src" / "pilothouse").rglob("*") if p.is_file() and "__pycache__" not in p.parts
    }
    assert source - packed == set()
    assert {Path(name).suffix for name in packed} >= {".py", ".html", ".css", ".js"}
    assert packed - source == set()


def test_what_is_imported_comes_from_the_wheel(place: Path) -> None:
    looked = _run(place, "-c", _LOOK, DJANGO_SETTINGS_MODULE="pilothouse.platform.settings")
    assert looked.stdout.strip() == str((place / "site" / "pilothouse").resolve())


def test_the_installed_wheel_runs_and_loads_the_demo(place: Path, ready_cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded.prepare(place / "data", template=ready_cluster)
    monkeypatch.chdir(place)
    server = trees.Instance(place)
    try:
        server.up(PYTHONPATH=str(place / "site"))
        loaded = _run(place, str(place / "site" / "bin" / "pilothouse"), "demo", "--only-load", "--tickets", "200", "--days", "20")
        assert "is loaded: 200 tickets over 20 days" in loaded.stderr
        assert server.value("SELECT count(*) FROM tickets_ticket WHERE kind IN ('incident', 'request')") == 200
        page = requests.get(f"{server.address}/sign-in", timeout=10)
        assert "Pilothouse" in page.text
        parts = re.findall(r'/static/[^"]+\.(?:css|js)', page.text)
        assert parts
        assert all(requests.get(server.address + part, timeout=10).ok for part in parts)
    finally:
        server.stop()
