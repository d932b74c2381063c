"""OASIS answers with status 200 in place of data: they are told apart from data, and absent days from refusals."""

import io
import zipfile

import pytest

from aurum.pipelines.public_files import Problem
from aurum.pipelines.sources.caiso.urls import problem

ERROR = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<m:OASISReport xmlns:m="http://www.caiso.com/soa/OASISReport_v1.xsd">\n'
    "<m:MessagePayload>\n<m:RTO>\n<m:name>CAISO</m:name>\n<m:ERROR>\n<m:ERR_CODE>{code}</m:ERR_CODE>\n"
    "<m:ERR_DESC>{text}</m:ERR_DESC>\n</m:ERROR>\n</m:RTO>\n</m:MessagePayload>\n</m:OASISReport>\n"
)


def zipped(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("code", "text", "is_absent", "is_passing"),
    [
        (1000, "No data returned for the specified selection", True, False),
        (1003, "Timed out waiting for query response", False, True),
        (1004, "Data can be requested for period of 31 days only", False, False),
        (1015, "GroupZip DownLoad is in Processing, Please Submit request after Sometime.", False, True),
    ],
)
def test_a_zip_of_an_error_is_no_data(code: int, text: str, is_absent: bool, is_passing: bool) -> None:
    answer = zipped("INVALID_REQUEST.xml", ERROR.format(code=code, text=text))
    assert problem(answer) == Problem(f"OASIS answered error {code}: {text}", is_absent=is_absent, is_passing=is_passing)


@pytest.mark.parametrize(
    "answer",
    [
        zipped("20250704_20250705_SLD_FCST_DAM_20250706_10_00_00_v1.csv", "INTERVALSTARTTIME_GMT,ERR_CODE>1000<ERR_DESC>x<\n"),
        zipped("20250704_20250705_SLD_FCST_DAM_20250706_10_00_00_v1.xml", "<OASISReport><RTO/></OASISReport>"),
        zipped("20250704.csv", "x" * 100_000)[:80],
        b"PK\x05\x06" + b"\0" * 18,
        b"<html>busy</html>",
        b"",
    ],
    ids=["an error in a member of data", "a report", "half a file", "an empty archive", "a page", "nothing"],
)
def test_other_answers_report_no_problem(answer: bytes) -> None:
    assert problem(answer) is None
