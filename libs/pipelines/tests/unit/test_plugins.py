"""Sources of installed packages: those that hold to the rules are added, any other is refused, and everything else goes on."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aurum.common.clock import SystemClock
from aurum.common.plugins import installed_plugins
from aurum.common.settings.files import FilesSettings
from aurum.pipelines.loading.isolated import IsolatedFiles
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.prepare import prepare
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import UnknownFormat, default_registry, own_registry
from aurum.pipelines.source import SourceFile
from aurum.pipelines.testing.plugin_site import install_source
from aurum.pipelines.testing.samples import SAMPLES

PREFIX = "aurum_source_"
SUITE = "expectations/acme_hourly_load.json"
LOADS = b"interval_start,region,load_mw\n2025-07-04T00:00:00Z,NORTH,4100\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages on the search path of this process."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in [name for name in sys.modules if name.startswith(PREFIX)]:
        del sys.modules[name]


def reasons() -> dict[str, str]:
    return {plugin.name: plugin.reason for plugin in default_registry().refused}


def test_plugins_follow_aurums_own_sources_by_name(site: Path) -> None:
    for name in ("riverside", "acme"):
        install_source(name, site)
    registry = default_registry()
    assert registry.sources[:-2] == own_registry().sources
    assert [source.name for source in registry.sources[-2:]] == ["acme", "riverside"]
    assert registry.plugins["acme"].package == "aurum-source-acme 0.1.0"
    assert registry.refused == ()


def test_a_function_may_return_the_source(site: Path) -> None:
    package = install_source("acme", site, attribute="source")
    with (package / "__init__.py").open("a") as module:
        module.write("\n\ndef source() -> Source:\n    return SOURCE\n")
    assert "acme" in default_registry().plugins


def remove(name: str) -> Callable[[Path], None]:
    def change(package: Path) -> None:
        target = package / name
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    return change


def replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(package: Path) -> None:
        text = (package / file).read_text()
        assert old in text
        (package / file).write_text(text.replace(old, new))

    return change


def begin(code: str) -> Callable[[Path], None]:
    def change(package: Path) -> None:
        (package / "parser.py").write_text(code)

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (remove("expectations"), r"dataset hourly_load has no suite of expectations: add expectations/acme_hourly_load\.json"),
        (remove("files"), "dataset hourly_load has no page"),
        (remove("samples"), "dataset hourly_load has no sample"),
        (remove("samples/hourly_load/acme_hourly_load_20250704.csv"), "dataset hourly_load has no sample"),
        (replace(SUITE, "between", "betwixt"), r"InvalidSuite: acme_hourly_load\.json"),
        (replace(SUITE, "acme:hourly_load", "acme:hourly"), "has no suite.*acme:hourly, which is"),
        (replace("files/acme_hourly_load.md", "hourly_load", "load"), "has no page"),
        (replace("__init__.py", 'name="acme"', 'name="acne"'), "its entry point is called 'acme' and its source 'acne'"),
        (replace("datasets.py", 'source="acme"', 'source="nyiso"'), "is declared for the source 'nyiso', not for 'acme'"),
        (replace("datasets.py", '"load", "MW"', '"Load", "MW"'), "'Load' .*cannot be the name of a measure"),
        (replace("__init__.py", "SOURCE = ", "OTHER = "), "cannot be loaded: AttributeError: .*'SOURCE'"),
        (begin("import nowhere\n"), "it cannot be loaded: ModuleNotFoundError: No module named 'nowhere'"),
        (begin("def\n"), "it cannot be loaded: SyntaxError"),
        (begin("raise SystemExit(3)\n"), "it cannot be loaded: SystemExit: 3"),
        (begin("FORMAT = 1\n"), "it cannot be loaded: AttributeError: 'int' object"),
        (begin("raise ValueError('a\\nb')\n"), "it cannot be loaded: ValueError: a b$"),
    ],
)
def test_a_plugin_that_breaks_a_rule_is_refused_with_the_reason_and_another_is_not(
    site: Path, change: Callable[[Path], None], reason: str
) -> None:
    change(install_source("acme", site))
    install_source("riverside", site)
    registry = default_registry()
    assert [source.name for source in registry.sources[len(own_registry().sources) :]] == ["riverside"]
    (refused,) = registry.refused
    assert (refused.name, refused.package) == ("acme", "aurum-source-acme 0.1.0")
    assert re.search(reason, refused.reason), refused.reason
    assert "\n" not in refused.reason


def rename(site: Path, package: str, name: str) -> None:
    points = site / f"{package}-0.1.0.dist-info" / "entry_points.txt"
    points.write_text(f"[aurum.sources]\n{name} = {package}:SOURCE\n")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nyiso", "the name 'nyiso' is in use by Aurum"),
        ("private", "'private' is reserved"),
        ("unmapped", "'unmapped' is reserved"),
        ("Acme", "'Acme' cannot be the name of a source"),
    ],
)
def test_a_name_that_a_source_cannot_have_is_refused_and_nothing_is_imported(site: Path, name: str, reason: str) -> None:
    install_source("acme", site)
    rename(site, "aurum_source_acme", name)
    assert reason in reasons()[name]
    assert "aurum_source_acme" not in sys.modules


def test_of_two_plugins_of_one_name_that_of_the_first_package_is_used(site: Path) -> None:
    install_source("acme", site)
    install_source("acme_later", site)
    rename(site, "aurum_source_acme_later", "acme")
    registry = default_registry()
    assert registry.plugins["acme"].package == "aurum-source-acme 0.1.0"
    assert [plugin.reason for plugin in registry.refused] == ["the name 'acme' is in use by aurum-source-acme 0.1.0"]


def test_looking_for_plugins_imports_none_of_them(site: Path) -> None:
    package = install_source("acme", site, module="aurum_source_acme.parser")
    (installed,) = installed_plugins()
    assert installed.folder == package
    assert "aurum_source_acme" not in sys.modules


def test_a_module_that_is_not_there_has_no_folder(site: Path) -> None:
    install_source("acme", site, module="nowhere.at.all")
    assert [plugin.folder for plugin in installed_plugins()] == [None]
    assert "No module named 'nowhere'" in reasons()["acme"]


def test_a_recogniser_that_fails_is_named_and_keeps_no_other_source_from_its_files(site: Path) -> None:
    package = install_source("acme", site)
    replace("parser.py", "return header_of", "raise KeyError('x')\n    return header_of")(package)
    registry = default_registry()
    (pal,) = (sample for sample in SAMPLES if sample.datasets[0] == "nyiso:pal")
    assert registry.recognise(SourceFile(pal.name, pal.content))[0].name == "nyiso"
    with pytest.raises(UnknownFormat, match="the plugin acme failed to look at it: KeyError: 'x'"):
        registry.recognise(SourceFile("x.csv", b"a,b\n1,2\n"))


def test_a_plugin_reads_its_files_with_its_own_suite(site: Path) -> None:
    install_source("acme", site)
    registry = default_registry()
    suites = read_suites(site / "none", of_plugins=registry.suites_of_plugins)
    document = SourceFile("acme_hourly_load_20250704.csv", LOADS + b"2025-07-04T01:00:00Z,NORTH,-5\n")
    load = prepare(registry, suites, document, "0" * 64, KnownAtPolicy(), SystemClock().now()).load
    assert load is not None
    assert load.record.source == "acme"
    assert [row["reason"] for row in load.quarantine.to_dicts()] == ["out_of_bounds"]


def test_a_suite_of_a_plugin_about_another_source_does_not_count(site: Path) -> None:
    package = install_source("acme", site)
    document = json.loads((package / SUITE).read_text())
    document["meta"]["dataset"] = "nyiso:pal"
    (package / "expectations/nyiso_pal.json").write_text(json.dumps(document))
    registry = default_registry()
    assert set(read_suites(site / "none", of_plugins=registry.suites_of_plugins).by_dataset) == {"acme:hourly_load"}


@pytest.mark.needs_process
def test_the_processes_that_read_hostile_files_know_the_plugins_and_their_suites(site: Path, tmp_path: Path) -> None:
    package = install_source("acme", site)
    replace("parser.py", "header_of(document) == _COLUMNS", 'document.content.startswith(b"<acme>")')(package)
    loads = f"    document = SourceFile(document.name, {LOADS!r})\n"
    replace("parser.py", "    refusals = Refusals", f"{loads}    refusals = Refusals")(package)
    replace(SUITE, '"max_value": 100000', '"max_value": 4000')(package)
    (tmp_path / "expectations").mkdir()
    files = IsolatedFiles(FilesSettings(), expectations=tmp_path / "expectations")
    try:
        prepared = files.prepare(SourceFile("load.xml", b"<acme>"), "0" * 64, KnownAtPolicy(), SystemClock().now())
    finally:
        files.close()
    assert (prepared.source, prepared.dataset) == ("acme", "hourly_load")
    (validation,) = prepared.validations
    assert [outcome.unexpected for outcome in validation.outcomes if not outcome.success] == [1]
