"""Reads the artifacts of a dbt run: manifest.json, run_results.json, sources.json.

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
"""Tables of the store that have rows of every series; no other table has rows of a series."""
_CURVE_TABLES: Final = frozenset({"product", "quote", "delivery_period", "strip_part"})
"""Tables of the store that follow from quotes: products have their trade dates, and the periods are those quoted."""
QUOTES: Final = "quotes"
"""The family of the datasets of forward quotes, which have no series."""
_LONGEST_MESSAGE: Final = 2000


class UnreadableArtifacts(Invalid):
    """A dbt artifact that is missing or not valid JSON. Facts: ``path``."""


@dataclass(frozen=True)
class Manifest:
    """The manifest of the dbt project: its nodes and how they depend on each other."""

    document: Mapping[str, Any]
    families: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict[str, tuple[tuple[str, str], ...]])
    """(source, dataset) pairs of each family; the key "" holds all datasets of series, ``QUOTES`` those of quotes."""

    def models(self) -> list[ModelEntry]:
        """Return every model, sorted by name."""
        entries = [self._entry(unique_id, node) for unique_id, node in self._nodes.items() if node["resource_type"] == "model"]
        return sorted(entries, key=lambda entry: entry.name)

    def results(self, document: Mapping[str, Any]) -> list[NodeResult]:
        """Return the results in the content of a run_results.json, without those of operations and exposures."""
        return [self._result(result) for result in document["results"] if result["unique_id"].split(".")[0] in _KIND]

    @cached_property
    def _nodes(self) -> Mapping[str, Mapping[str, Any]]:
        return {**self.document["nodes"], **self.document["unit_tests"]}

    @cached_property
    def _lineage(self) -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
        """For each model, the families ("" for all series, ``QUOTES`` for all quotes) and the tables that it depends on."""
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
            known[unique_id] = self._lineage_of(unique_id, parents, known)
        return known

    def _lineage_of(
        self, unique_id: str, parents: Sequence[str], known: Mapping[str, tuple[frozenset[str], frozenset[str]]]
    ) -> tuple[frozenset[str], frozenset[str]]:
        own = {self.document["sources"][one]["name"] for one in parents if one.startswith("source.")}
        above = [known[one] for one in parents if one in known]
        tables = frozenset(own).union(*(lineage[1] for lineage in above))
        family = self._nodes[unique_id]["config"].get("meta", {}).get("family")
        if family is not None:
            return frozenset({family}), tables
        everything = ("", _SERIES_TABLES), (QUOTES, _CURVE_TABLES)
        read = frozenset(family for family, having in everything if own & having)
        return read.union(*(lineage[0] for lineage in above)), tables

    def _entry(self, unique_id: str, node: Mapping[str, Any]) -> ModelEntry:
        families, tables = self._lineage[unique_id]
        pairs = {pair for family in families for pair in self.families.get(family, ())}
        return ModelEntry(
            name=node["name"],
            layer=node["fqn"][1],
            description=_plain(node["description"]),
            materialized=node["config"]["materialized"],
            relation=f"{node['schema']}.{node['alias']}",
            depends_on=tuple(
                sorted(parent.split(".")[-1] for parent in node["depends_on"]["nodes"] if not parent.startswith("source."))
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
        """Return the model that a node is or that a test is about; ``store.<table>`` for a test of a source."""
        node = self._nodes.get(unique_id, {})
        if unique_id.startswith("unit_test."):
            return node["model"]
        if not unique_id.startswith("test."):
            return unique_id.split(".")[-1]
        attached = node.get("attached_node") or next(iter(node["depends_on"]["nodes"]), "")
        return ".".join(attached.split(".")[-2:]) if attached.startswith("source.") else attached.split(".")[-1]


def read_manifest(folder: Path, registry: Registry) -> Manifest:
    """Read the manifest in a folder of artifacts. Raises ``UnreadableArtifacts``."""
    return Manifest(_read(folder / "manifest.json"), datasets_by_family(registry))


def read_results(folder: Path, manifest: Manifest) -> tuple[NodeResult, ...]:
    """Read the results of the last dbt run. Raises ``UnreadableArtifacts``."""
    return tuple(manifest.results(_read(folder / "run_results.json")))


def read_freshness(folder: Path) -> tuple[TableFreshness, ...]:
    """Read the results of the last freshness check of the sources. Raises ``UnreadableArtifacts``."""
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
    """Return the (source, dataset) pairs of each family: those with a measure of it, and those of quotes under ``QUOTES``.

    The key "" holds all datasets of series.
    """
    by_family: dict[str, set[tuple[str, str]]] = {"": set(), QUOTES: set()}
    for source in registry.sources:
        for dataset in source.datasets:
            pair = (dataset.source, dataset.name)
            by_family[QUOTES if dataset.quotes is not None else ""].add(pair)
            for measure in dataset.measures:
                meaning = meaning_of(dataset, measure)
                if meaning is not None:
                    by_family.setdefault(str(meaning.family), set()).add(pair)
    return {family: tuple(sorted(pairs)) for family, pairs in by_family.items()}


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableArtifacts(f"dbt artifact {path.name} cannot be read: {error}", path=str(path)) from error


def _plain(text: str) -> str:
    """Return the text on one line, with single spaces."""
    return " ".join(text.split())
