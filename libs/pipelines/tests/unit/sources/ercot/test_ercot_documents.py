"""ERCOT's lists of documents: which documents hold the prices of some local days."""

import json
from collections.abc import Sequence
from datetime import date

import pytest

from aurum.pipelines.public_files import Request, publications
from aurum.pipelines.source import SourceFile
from aurum.pipelines.sources.ercot import SOURCE
from aurum.pipelines.sources.ercot.urls import Report, documents, older, workbooks

DAM, RTM = Report(posting=12331, workbook=13060), Report(posting=12301, workbook=13061)
_NONE = "0000000000000000"


def listing(names: Sequence[str], *, first_number: int = 1000) -> bytes:
    """Return a list as the service writes it, newest first, with more members than are read."""
    entries = [
        {
            "Document": {
                "ExpiredDate": "2025-12-31T00:00:00-06:00",
                "ILMStatus": "EXT",
                "SecurityStatus": "P",
                "ContentSize": "24576",
                "Extension": "zip",
                "FileName": "",
                "ReportTypeID": name.split(".")[1].lstrip("0"),
                "ConstructedName": name,
                "DocID": str(first_number + place),
                "PublishDate": "2025-11-01T12:32:34-05:00",
            }
        }
        for place, name in enumerate(names)
    ]
    return json.dumps({"ListDocsByRptTypeRes": {"DocumentList": list(reversed(entries))}}).encode()


def dam(posted: str, kind: str = "csv") -> str:
    return f"cdr.00012331.{_NONE}.{posted}.DAMSPNP4190_{kind}.zip"


def rtm(posted: str, interval: str, kind: str = "csv") -> str:
    return f"cdr.00012301.{_NONE}.{posted}.SPPHLZNP6905_{interval}_{kind}.zip"


def names(requests: Sequence[Request]) -> list[str]:
    return [request.name for request in requests]


def test_day_ahead_prices_of_a_day_are_posted_on_the_day_before() -> None:
    posted = [dam("20251031.123234510"), dam("20251101.123240001"), dam("20251101.123240001", "xml"), dam("20251102.124400000")]
    requests = documents(listing(posted), first=date(2025, 11, 2), last=date(2025, 11, 2), report=DAM)
    assert names(requests) == [posted[1]]
    assert requests[0].url == "https://www.ercot.com/misdownload/servlets/mirDownload?doclookupId=1001"


def test_day_ahead_prices_that_are_late_are_of_the_day_on_which_they_are_posted() -> None:
    posted = [dam("20240228.123000123"), dam("20240229.013000123"), dam("20240229.123500123")]
    requests = documents(listing(posted), first=date(2024, 2, 29), last=date(2024, 2, 29), report=DAM)
    assert names(requests) == posted[:2]


def test_real_time_prices_of_a_day_end_with_the_interval_that_is_posted_after_midnight() -> None:
    posted = [
        rtm("20251101.000201000", "20251101_0000"),  # the last quarter of 31 October
        rtm("20251101.001701000", "20251101_0015"),
        rtm("20251102.000201000", "20251102_0000"),
        rtm("20251102.001701000", "20251102_0015"),
    ]
    requests = documents(listing(posted), first=date(2025, 11, 1), last=date(2025, 11, 1), report=RTM)
    assert names(requests) == posted[1:3]


def test_the_repeated_hour_of_the_fall_back_day_is_requested_twice() -> None:
    posted = [
        rtm("20251101.120201000", "20251101_1200"),
        rtm("20251102.011502000", "20251102_0115"),
        f"cdr.00012301.{_NONE}.20251102.011502000xhr.SPPHLZNP6905_20251102_0115xhr_csv.zip",
        f"cdr.00012301.{_NONE}.20251102.164501000.SPPHLZNP6905_retry_20251102_1630_csv.zip",
    ]
    requests = documents(listing(posted), first=date(2025, 11, 2), last=date(2025, 11, 2), report=RTM)
    assert names(requests) == posted[1:]


def test_a_day_that_is_not_posted_yet_has_no_document() -> None:
    content = listing([dam("20251101.123240001")])
    assert documents(content, first=date(2025, 11, 3), last=date(2025, 11, 3), report=DAM) == []


def test_documents_of_another_report_or_with_another_name_are_not_requested() -> None:
    posted = [
        dam("20251101.123240001"),
        f"cdr.00012328.{_NONE}.20251101.123005000.DAMHRLMPNP4183_csv.zip",
        f"cdr.00099999.{_NONE}.20251101.123005000.DAMSPNP4190_csv.zip",
        "../../etc/passwd",
    ]
    requests = documents(listing(posted), first=date(2025, 11, 1), last=date(2025, 11, 30), report=DAM)
    assert names(requests) == posted[:1]


def test_days_before_the_oldest_posting_are_in_the_workbooks_of_their_years() -> None:
    posted = listing([dam("20250102.123240001"), dam("20250103.123240001")])
    (of_years,) = older(posted, first=date(2023, 12, 30), last=date(2025, 1, 3), report=DAM)
    assert of_years.url == "https://www.ercot.com/misapp/servlets/IceDocListJsonWS?reportTypeId=13060"
    books = [f"rpt.00013060.{_NONE}.DAMLZHBSPP_{year}.zip" for year in (2022, 2023, 2024)]
    books.append(f"rpt.00013060.{_NONE}.20250101.080303414.DAMLZHBSPP_2025.zip")
    assert of_years.listing is not None
    assert names(of_years.listing(listing(books))) == books[1:]


def test_no_workbook_is_requested_for_days_whose_postings_are_on_display() -> None:
    posted = listing([dam("20250102.123240001"), dam("20250103.123240001")])
    assert older(posted, first=date(2025, 1, 3), last=date(2025, 1, 9), report=DAM) == []


def test_the_list_of_workbooks_is_requested_for_older_days_only() -> None:
    files = SOURCE.public_files("rtm_spp")
    assert files is not None
    today = date(2025, 11, 20)
    parts = [
        len(publications(files, [day], today=today)[0].requests) for day in (today, date(2025, 11, 16), date(2025, 11, 15))
    ]
    assert parts == [1, 1, 2]


def test_the_workbook_with_the_newest_number_is_requested() -> None:
    books = [f"rpt.00013061.{_NONE}.RTMLZHBSPP_2025.zip", f"rpt.00013061.{_NONE}.20250920.080303414.RTMLZHBSPP_2025.zip"]
    assert names(workbooks(listing(books), years=[2025, 2026], report=RTM)) == books[1:]


@pytest.mark.parametrize("content", [b"", b"<html>moved</html>", b"[]", b'{"error": "busy"}', b'{"ListDocsByRptTypeRes": 1}'])
def test_an_answer_that_is_no_list_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"not well-formed JSON|not a list of documents"):
        documents(content, first=date(2025, 11, 2), last=date(2025, 11, 2), report=DAM)


@pytest.mark.parametrize("content", [b'{"ListDocsByRptTypeRes": {}}', b'{"ListDocsByRptTypeRes": {"DocumentList": null}}'])
def test_an_empty_list_has_no_document(content: bytes) -> None:
    assert documents(content, first=date(2025, 11, 2), last=date(2025, 11, 2), report=DAM) == []


def test_a_list_of_one_document_may_be_no_array() -> None:
    entry = {"Document": {"ConstructedName": dam("20251101.123240001"), "DocID": "7"}}
    content = json.dumps({"ListDocsByRptTypeRes": {"DocumentList": entry}}).encode()
    assert len(documents(content, first=date(2025, 11, 2), last=date(2025, 11, 2), report=DAM)) == 1


@pytest.mark.parametrize("number", ["12&mimic=1", "", None, "1" * 30])
def test_a_document_whose_number_is_none_is_not_requested(number: str | None) -> None:
    entry = {"Document": {"ConstructedName": dam("20251101.123240001"), "DocID": number}}
    content = json.dumps({"ListDocsByRptTypeRes": {"DocumentList": [entry, "x", {"Document": 1}]}}).encode()
    assert documents(content, first=date(2025, 11, 2), last=date(2025, 11, 2), report=DAM) == []


@pytest.mark.parametrize(
    ("dataset", "member"),
    [
        ("dam_spp", "cdr.00012331.0000000000000000.20251101.123240.DAMSPNP4190.csv"),
        ("rtm_spp", "cdr.00012301.0000000000000000.20251102.011502.SPPHLZNP6905_20251102_0115.csv"),
    ],
)
def test_the_days_of_a_posting_are_those_that_its_file_names(dataset: str, member: str) -> None:
    files = SOURCE.public_files(dataset)
    assert files is not None
    (one,) = publications(files, [date(2025, 11, 2)], today=date(2025, 11, 3))
    posted = member.replace(".csv", "_csv.zip").replace(".123240.", ".123240001.").replace(".011502.", ".011502001.")
    assert one.requests[0].listing is not None
    assert names(one.requests[0].listing(listing([posted]))) == [posted]
    named = [content for each in SOURCE.formats if (content := each.named(SourceFile(member, b""))) is not None]
    assert any(
        content.first is not None and content.first <= date(2025, 11, 2) <= (content.last or date.max) for content in named
    )
