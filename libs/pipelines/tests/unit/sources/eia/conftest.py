from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import pytest

from aurum.core.frames import PARSED, REFUSED, conform
from aurum.pipelines.source import PARSED_SERIES, Parsed, SourceFile
from aurum.pipelines.sources.eia import SOURCE


def _hold_to_contract(parsed: Parsed) -> None:
    conform(parsed.rows, PARSED)
    conform(parsed.series, PARSED_SERIES)
    conform(parsed.refused, REFUSED)
    assert parsed.dataset in SOURCE.datasets
    assert parsed.rows["value"].is_finite().all()
    pairs = parsed.rows.select("location", "measure").unique().sort("location", "measure")
    assert parsed.series.select("location", "measure").sort("location", "measure").equals(pairs)
    assert parsed.series["unit"].null_count() == 0


@pytest.fixture(scope="session")
def parse() -> Callable[[str, bytes | str], tuple[Parsed, ...]]:
    """A function that parses a file with the one format that recognises it, and checks the rules for every parser."""

    def parse_file(name: str, content: bytes | str) -> tuple[Parsed, ...]:
        document = SourceFile(name, content.encode() if isinstance(content, str) else content)
        (file_format,) = (candidate for candidate in SOURCE.formats if candidate.recognise(document))
        parsed_parts = file_format.parse(document)
        for parsed in parsed_parts:
            _hold_to_contract(parsed)
        return parsed_parts

    return parse_file


@pytest.fixture(scope="session")
def real_files() -> Path:
    """The folder of real files next to the repository; skips the test when it is missing."""
    folder = Path(__file__).resolve().parents[7] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real files: {folder} does not exist")
    return folder


_NS = "http://schemas.openxmlformats.org"
_DAY_STYLE = '<numFmts/><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>'
_DAY_STYLE += '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'


def _cell(value: str | float | date | None) -> str:
    match value:
        case None:
            return "<c/>"
        case date():
            return f'<c s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
        case str():
            return f'<c t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
        case _:
            return f"<c><v>{value}</v></c>"


def _workbook(sheets: Mapping[str, Sequence[Sequence[str | float | date | None]]]) -> bytes:
    office, package = f"{_NS}/officeDocument/2006/relationships", f"{_NS}/package/2006"
    main, kind = f"{_NS}/spreadsheetml/2006/main", "application/vnd.openxmlformats-officedocument.spreadsheetml"
    names = list(enumerate(sheets, start=1))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>'
        + "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>' for n, _ in names)
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in names)
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="s" Type="{office}/styles" Target="styles.xml"/>'
        + "".join(f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n, _ in names)
        + "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{main}">{_DAY_STYLE}</styleSheet>',
    }
    for number, rows in enumerate(sheets.values(), start=1):
        body = "".join("<row>" + "".join(map(_cell, row)) + "</row>" for row in rows)
        parts[f"xl/worksheets/sheet{number}.xml"] = f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return buffer.getvalue()


@pytest.fixture(scope="session")
def workbook() -> Callable[[Mapping[str, Sequence[Sequence[str | float | date | None]]]], bytes]:
    """An .xlsx of sheets of rows: texts, numbers, days as date cells, None for an empty cell."""
    return _workbook
