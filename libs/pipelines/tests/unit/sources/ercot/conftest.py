import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from aurum.pipelines.source import Parsed
from aurum.pipelines.sources.ercot import SOURCE
from aurum.pipelines.testing.source_contract import parser_of


@pytest.fixture(scope="session")
def parse() -> Callable[[str, bytes | str], tuple[Parsed, ...]]:
    return parser_of(SOURCE)


@pytest.fixture(scope="session")
def real_files() -> Path:
    """The folder of real files next to the repository; skips the test when it is missing."""
    folder = Path(__file__).resolve().parents[7] / "shared" / "data" / "ercot"
    if not folder.is_dir():
        pytest.skip(f"no real files: {folder} does not exist")
    return folder


_NS = "http://schemas.openxmlformats.org"


def _cell(value: str) -> str:
    try:
        float(value)
    except ValueError:
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def _workbook(sheets: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
    office, package = f"{_NS}/officeDocument/2006/relationships", f"{_NS}/package/2006"
    main = f"{_NS}/spreadsheetml/2006/main"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    numbers = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        + "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>' for n in numbers)
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in zip(numbers, sheets, strict=True))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        + "".join(f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers)
        + "</Relationships>",
    }
    for number, rows in zip(numbers, sheets.values(), strict=True):
        body = "".join("<row>" + "".join(map(_cell, row)) + "</row>" for row in rows)
        parts[f"xl/worksheets/sheet{number}.xml"] = f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return buffer.getvalue()


@pytest.fixture(scope="session")
def workbook() -> Callable[[Mapping[str, Sequence[Sequence[str]]]], bytes]:
    """An .xlsx of sheets of rows of texts; texts that are numbers become number cells, as in ERCOT's workbooks."""
    return _workbook
