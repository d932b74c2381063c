"""Workbooks for tests, written cell by cell: an .xlsx is a zip of XML parts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date

Cell = str | float | date | None

_NS = "http://schemas.openxmlformats.org"
_STYLES = (
    '<numFmts/><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
)


def _cell(value: Cell) -> str:
    match value:
        case None:
            return "<c/>"
        case date():
            return f'<c s="1"><v>{(date(value.year, value.month, value.day) - date(1899, 12, 30)).days}</v></c>'
        case str():
            return f'<c t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
        case _:
            return f"<c><v>{value}</v></c>"


def workbook(sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> bytes:
    """Return an .xlsx of sheets of rows: texts, numbers, days as date cells, None for an empty cell."""
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
        "xl/styles.xml": f'<styleSheet xmlns="{main}">{_STYLES}</styleSheet>',
    }
    for number, rows in enumerate(sheets.values(), start=1):
        body = "".join("<row>" + "".join(map(_cell, row)) + "</row>" for row in rows)
        parts[f"xl/worksheets/sheet{number}.xml"] = f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return buffer.getvalue()


def far_workbook() -> bytes:
    """Return an .xlsx of about 1.5 kB with two cells, in the first and the last place that a sheet has."""
    content = workbook({"Sheet1": [["x"]]})
    row = '<row r="{1}"><c r="{0}{1}" t="inlineStr"><is><t>x</t></is></c></row>'
    sheet = "".join(row.format(column, line) for column, line in (("A", 1), ("XFD", 1048576)))
    main = f"{_NS}/spreadsheetml/2006/main"
    text = f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>'
    return with_part(content, "xl/worksheets/sheet1.xml", text)


def with_part(content: bytes, part: str, text: str) -> bytes:
    """Return a workbook with another text of one part."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}' if name == part else old.read(name))
    return buffer.getvalue()
