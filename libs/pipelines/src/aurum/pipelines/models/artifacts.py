"""What dbt says of a run, read from its artifacts: manifest.json, run_results.json, sources.json.

Schemas: https://schemas.getdbt.com, manifest v12, run-results v6, sources v3.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from aurum.core.errors import Invalid
from aurum.pipelines.models.meaning import meaning_of
from aurum.pipelines.registry import Registry
from aurum.storage.ports.models import ModelEntry, NodeKind, NodeResult, NodeStatus, TableFreshness

_STATUS: Final[Mapping[str, NodeStatus]] = {
    "success": NodeStatus.OK,
    "pass": NodeStatus.OK,
    "no-op": NodeStatus.OK,
    "warn": NodeStatus.WARNED,
    "partial success": NodeStatus.FAILED,
    "fail": NodeStatus.FAILED,
    "error": NodeStatus.FAILED,
    "runtime error": NodeStatus.FAILED,
    "skipped": NodeStatus.SKIPPED,
}
_KIND: Final[Mapping[str, NodeKind]] = {kind.value: kind for kind in NodeKind}
_SERIES_TABLES: Final = frozenset({"series", "observation", "observation_version", "completeness"})
"""Tables of the store in which every series shows; the others say nothing of any."""
_LONGEST_MESSAGE: Final = 2000


class UnreadableArtifacts(Invalid):
    """An artifact that is not there or is none of dbt's. Facts: ``path``."""


@dataclass(frozen=True)
class Manifest:
    """What the project consists of."""

    document: Mapping[str, Any]
    families: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict[str, tuple[tuple[str, str], ...]])
    """(source, dataset) pairs of each family; under "" all there are."""

    def models(self) -> list[ModelEntry]:
        """Every model, by name."""
        found = [self._entry(unique_id, node) for unique_id, node in self._nodes.items() if node["resource_type"] == "model"]
        return sorted(found, key=lambda one: one.name)

    def results(self, document: Mapping[str, Any]) -> list[NodeResult]:
        """The results of a run_results.json, of what is kept of them: not operations and exposures."""
        return [self._result(result) for result in document["results"] if result["unique_id"].split(".")[0] in _KIND]

    @cached_property
    def _nodes(self) -> Mapping[str, Mapping[str, Any]]:
        return {**self.document["nodes"], **self.document["unit_tests"]}

    @cached_property
    def _reach(self) -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
        """For each model, what reaches it: families ("" for all), and tables of the store."""
        known: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
        pending = [unique_id for unique_id, node in self._nodes.items() if node["resource_type"] == "model"]
        while pending:
            unique_id = pending[-1]
            parents = self._nodes[unique_id]["depends_on"]["nodes"]
            waiting = [one for one in parents if one.startswith("model.") and one not in known]
            if waiting:
                pending += waiting
                continue
            pending.pop()
            known[unique_id] = self._reached(unique_id, parents, known)
        return known

    def _reached(
        self, unique_id: str, parents: Sequence[str], known: Mapping[str, tuple[frozenset[str], frozenset[str]]]
    ) -> tuple[frozenset[str], frozenset[str]]:
        own = {self.document["sources"][one]["name"] for one in parents if one.startswith("source.")}
        above = [known[one] for one in parents if one in known]
        tables = frozenset(own).union(*(reached[1] for reached in above))
        said = self._nodes[unique_id]["config"].get("meta", {}).get("family")
        if said is not None:
            return frozenset({said}), tables
        all_series = frozenset({""}) if own & _SERIES_TABLES else frozenset[str]()
        return all_series.union(*(reached[0] for reached in above)), tables

    def _entry(self, unique_id: str, node: Mapping[str, Any]) -> ModelEntry:
        families, tables = self._reach[unique_id]
        pairs = {pair for family in families for pair in self.families.get(family, ())}
        return ModelEntry(
            name=node["name"],
            layer=node["fqn"][1],
            description=_plain(node["description"]),
            materialized=node["config"]["materialized"],
            relation=f"{node['schema']}.{node['alias']}",
            depends_on=tuple(
                sorted(one.split(".")[-1] for one in node["depends_on"]["nodes"] if not one.startswith("source."))
            ),
            tables=tuple(f"store.{table}" for table in sorted(tables)),
            datasets=tuple(sorted(pairs)),
            columns=tuple(
                {"name": column["name"], "type": column["data_type"] or "", "description": _plain(column["description"])}
                for column in node["columns"].values()
            ),
        )

    def _result(self, result: Mapping[str, Any]) -> NodeResult:
        unique_id: str = result["unique_id"]
        status = _STATUS.get(result["status"], NodeStatus.FAILED)
        failures = result["failures"]
        return NodeResult(
            node=self._nodes[unique_id]["name"] if unique_id in self._nodes else unique_id,
            kind=_KIND[unique_id.split(".")[0]],
            model=self._subject(unique_id),
            status=status,
            seconds=float(result["execution_time"]),
            failures=None if failures is None else int(failures),
            message="" if status is NodeStatus.OK else _plain(result["message"] or "")[:_LONGEST_MESSAGE],
        )

    def _subject(self, unique_id: str) -> str:
        """The model that a node is, or that a test is of; ``store.<table>`` of a test of a source."""
        node = self._nodes.get(unique_id, {})
        if unique_id.startswith("unit_test."):
            return node["model"]
        if not unique_id.startswith("test."):
            return unique_id.split(".")[-1]
        attached = node.get("attached_node") or next(iter(node["depends_on"]["nodes"]), "")
        return ".".join(attached.split(".")[-2:]) if attached.startswith("source.") else attached.split(".")[-1]


def read_manifest(folder: Path, registry: Registry) -> Manifest:
    """The manifest of a folder of artifacts. Raises ``UnreadableArtifacts``."""
    return Manifest(_read(folder / "manifest.json"), datasets_by_family(registry))


def read_results(folder: Path, manifest: Manifest) -> tuple[NodeResult, ...]:
    """The results of the last run of nodes. Raises ``UnreadableArtifacts``."""
    return tuple(manifest.results(_read(folder / "run_results.json")))


def read_freshness(folder: Path) -> tuple[TableFreshness, ...]:
    """What the last look at the sources found. Raises ``UnreadableArtifacts``."""
    return tuple(
        TableFreshness(
            table=".".join(result["unique_id"].split(".")[-2:]),
            status=_STATUS.get(result["status"], NodeStatus.FAILED),
            newest=datetime.fromisoformat(result["max_loaded_at"]) if result.get("max_loaded_at") else None,
            age_s=result.get("max_loaded_at_time_ago_in_s"),
        )
        for result in _read(folder / "sources.json")["results"]
    )


def datasets_by_family(registry: Registry) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """(source, dataset) pairs that have a measure of each family; under "" all there are."""
    found: dict[str, set[tuple[str, str]]] = {"": set()}
    for source in registry.sources:
        for dataset in source.datasets:
            pair = (dataset.source, dataset.name)
            found[""].add(pair)
            for measure in dataset.measures:
                meaning = meaning_of(dataset, measure)
                if meaning is not None:
                    found.setdefault(str(meaning.family), set()).add(pair)
    return {family: tuple(sorted(pairs)) for family, pairs in found.items()}


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableArtifacts(f"{path.name} of dbt cannot be read: {error}", path=str(path)) from error


def _plain(text: str) -> str:
    """On one line."""
    return " ".join(text.split())
