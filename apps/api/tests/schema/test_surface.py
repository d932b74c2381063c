"""Clients depend on paths, operation ids, parameters, fields and statuses: none changes unnoticed; prose may."""

from __future__ import annotations

from typing import Any

from api_surface import recorded, surface


def test_no_operation_that_clients_know_has_changed_but_in_its_prose(served_document: dict[str, Any]) -> None:
    present = surface(served_document)
    changed = {operation for operation, digest in recorded().items() if present.get(operation) != digest}
    assert changed == set()


def test_new_operations_are_recorded(served_document: dict[str, Any]) -> None:
    assert set(surface(served_document)) == set(recorded())


def test_texts_and_names_of_components_do_not_count_and_fields_do() -> None:
    def document(component: str, field: str, text: str) -> dict[str, object]:
        answer = {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{component}"}}}}
        return {
            "paths": {"/x": {"get": {"operationId": "x", "summary": text, "responses": {"200": answer}}}},
            "components": {"schemas": {component: {"title": component, "properties": {field: {"type": "string"}}}}},
        }

    assert surface(document("A", "description", "old")) == surface(document("B", "description", "new"))
    assert surface(document("A", "description", "old")) != surface(document("A", "title", "old"))
