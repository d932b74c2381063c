"""How single publishers answer, from their address to the store: lists of documents, archives, errors with status 200."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from aurum.common.contracts import contracts_directory
from aurum.common.settings import FetchSettings
from aurum.pipelines.fetch.client import DownloadLimits
from aurum.pipelines.fetch.downloads import Downloaded, Downloads, FetchOutcome
from aurum.pipelines.fetch.errors import FetchRefused
from aurum.pipelines.fetch.turns import Turns
from aurum.pipelines.loading.load import FileOutcome, FileReport, Ingestion
from aurum.pipelines.loading.unpacking import unpack
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import own_registry
from aurum.pipelines.testing.publisher import Publisher, Received, Reply, SteppingClock, publisher_on_loopback
from aurum.pipelines.testing.samples import SAMPLES
from aurum.storage.memory import MemoryStore

DAY = date(2025, 7, 4)
"""The day of the samples."""
IMPATIENT = DownloadLimits(first_wait_s=0.001, longest_wait_s=0.01, tries=3)
REGISTRY = own_registry()
Pages = Mapping[str, bytes]


def sample(name: str) -> bytes:
    return next(each.content for each in SAMPLES if each.name == name)


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@dataclass
class World:
    """A publisher, and a store in memory that its files are loaded into."""

    publisher: Publisher
    folder: Path

    async def fetch(
        self, dataset: str, *days: date, today: date, parts: tuple[str, ...] | None = None
    ) -> tuple[list[Downloaded], list[FileReport]]:
        """Return what the days brought on a day, and the reports of the files."""
        clock = SteppingClock(datetime(today.year, today.month, today.day, 18, tzinfo=UTC))
        source, _, name = dataset.partition(":")
        settings = FetchSettings(parts={source: parts} if parts is not None else {})
        turns = Turns(self.folder / "turns", clock, REGISTRY.source(source).politeness, seconds={}, sleep=clock.sleep)
        downloads = Downloads(REGISTRY, settings, self.folder, clock, turns, address=self.publisher.address, limits=IMPATIENT)
        async with aclosing(downloads.run(downloads.plan(source, name, days))) as results:
            brought = [result async for result in results]
        ingestion = Ingestion(
            registry=REGISTRY,
            suites=read_suites(contracts_directory(None) / "expectations"),
            loader=MemoryStore(clock).loader,
            raw_files=RawFiles(self.folder / "raw"),
        )
        reports = [
            report
            for result in brought
            for file in result.files
            async for report in ingestion.ingest_all(unpack(file.path.name, file.path.read_bytes()), known_at=file.known_at)
        ]
        return brought, reports

    def serve(self, pages: Pages) -> None:
        """Answer addresses that end with a text, path and query together; 404 for others."""

        def script(received: Received) -> Reply:
            address = received.path + "".join(f"?{name}={value}" for name, value in received.query.items())
            body = next((content for end, content in pages.items() if address.endswith(end)), None)
            return Reply(b"not here", status=404) if body is None else Reply(body)

        self.publisher.script = script


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with publisher_on_loopback() as publisher:
        yield World(publisher, tmp_path)


def datasets(reports: list[FileReport]) -> set[str]:
    assert {report.outcome for report in reports} == {FileOutcome.APPLIED}, reports
    return {f"{report.source}:{report.dataset}" for report in reports}


# --- ERCOT ------------------------------------------------------------------------------------------------------------

_NONE = "0000000000000000"
DAM_POSTING = f"cdr.00012331.{_NONE}.20250703.123005.DAMSPNP4190.csv"
RTM_POSTING = f"cdr.00012301.{_NONE}.20250704.020105.SPPHLZNP6905_20250704_0200.csv"
WORKBOOK = f"rpt.00013060.{_NONE}.DAMLZHBSPP_2025.xlsx"


def listed(*names: str) -> bytes:
    documents = [{"Document": {"ConstructedName": name, "DocID": str(100 + n)}} for n, name in enumerate(names)]
    return json.dumps({"ListDocsByRptTypeRes": {"DocumentList": documents}}).encode()


async def test_ercot_lists_the_documents_of_a_day(world: World) -> None:
    later = f"cdr.00012331.{_NONE}.20250704.123005123.DAMSPNP4190_csv.zip"
    world.serve(
        {
            "reportTypeId=12331": listed(later, f"cdr.00012331.{_NONE}.20250703.123005987.DAMSPNP4190_csv.zip"),
            "doclookupId=101": zipped(**{DAM_POSTING: sample(DAM_POSTING)}),
        }
    )
    (day,), reports = await world.fetch("ercot:dam_spp", DAY, today=DAY)
    assert [file.path.name for file in day.files] == [f"cdr.00012331.{_NONE}.20250703.123005987.DAMSPNP4190_csv.zip"]
    assert datasets(reports) == {"ercot:dam_spp"}


async def test_ercot_has_a_document_for_each_quarter_of_an_hour(world: World) -> None:
    names = [
        f"cdr.00012301.{_NONE}.20250704.{at}05987.SPPHLZNP6905_20250704_{end}_csv.zip"
        for at, end in (("0201", "0200"), ("0216", "0215"))
    ]
    document = zipped(**{RTM_POSTING: sample(RTM_POSTING)})
    world.serve({"reportTypeId=12301": listed(*names), "doclookupId=100": document, "doclookupId=101": document})
    (day,), reports = await world.fetch("ercot:rtm_spp", DAY, today=DAY)
    assert [file.path.name for file in day.files] == names
    assert {report.outcome for report in reports} == {FileOutcome.APPLIED, FileOutcome.ALREADY_LOADED}


async def test_ercots_older_days_are_in_the_workbook_of_their_year(world: World) -> None:
    world.serve(
        {
            "reportTypeId=12331": listed(f"cdr.00012331.{_NONE}.20251001.123005987.DAMSPNP4190_csv.zip"),
            "reportTypeId=13060": listed(WORKBOOK.replace(".xlsx", ".zip")),
            "doclookupId=100": zipped(**{WORKBOOK: sample(WORKBOOK)}),
        }
    )
    (day,), reports = await world.fetch("ercot:dam_spp", DAY, today=date(2025, 10, 20))
    assert day.outcome is FetchOutcome.DOWNLOADED
    assert datasets(reports) == {"ercot:dam_spp"}


async def test_a_day_that_ercot_has_not_posted_is_not_published(world: World) -> None:
    world.serve({"reportTypeId=12331": listed(f"cdr.00012331.{_NONE}.20250703.123005987.DAMSPNP4190_csv.zip")})
    (day,), reports = await world.fetch("ercot:dam_spp", date(2025, 7, 5), today=DAY)
    assert (day.outcome, reports) == (FetchOutcome.NOT_PUBLISHED, [])


# --- NYISO ------------------------------------------------------------------------------------------------------------


async def test_nyisos_archive_of_a_month_holds_its_days(world: World) -> None:
    name = "20250704damlbmp_zone.csv"
    world.serve({"/public/csv/damlbmp/20250701damlbmp_zone_csv.zip": zipped(**{name: sample(name)})})
    july = [date(2025, 7, 1) + timedelta(days=number) for number in range(31)]
    (month,), reports = await world.fetch("nyiso:damlbmp_zone", *july, today=date(2025, 9, 1))
    assert (len(month.publication.days), datasets(reports)) == (31, {"nyiso:damlbmp_zone"})
    assert world.publisher.paths == ["/public/csv/damlbmp/20250701damlbmp_zone_csv.zip"]


async def test_without_an_archive_nyisos_days_are_requested_one_by_one(world: World) -> None:
    world.serve({"/20250704damlbmp_zone.csv": sample("20250704damlbmp_zone.csv")})
    july = [date(2025, 7, 1) + timedelta(days=number) for number in range(31)]
    results, reports = await world.fetch("nyiso:damlbmp_zone", *july, today=date(2025, 8, 1))
    assert [str(each.publication.first) for each in results if each.outcome is FetchOutcome.DOWNLOADED] == ["2025-07-04"]
    assert datasets(reports) == {"nyiso:damlbmp_zone"}


# --- CAISO ------------------------------------------------------------------------------------------------------------

ANSWER = "20250704_20250705_SLD_FCST_DAM_20250706_10_00_00_v1"


def oasis_error(code: int, text: str) -> bytes:
    error = f"<m:ERROR><m:ERR_CODE>{code}</m:ERR_CODE><m:ERR_DESC>{text}</m:ERR_DESC></m:ERROR>"
    document = f'<m:OASISReport xmlns:m="http://www.caiso.com/soa/OASISReport_v1.xsd">{error}</m:OASISReport>'
    return zipped(**{"INVALID_REQUEST.xml": document.encode()})


def of_oasis(content: bytes, name: str) -> Reply:
    kind = {"Content-Type": "application/x-zip-compressed", "Content-Disposition": f"inline; filename={name}.zip;"}
    return Reply(content, headers=kind)


async def test_oasis_has_no_data_for_a_day_and_says_so_with_status_200(world: World) -> None:
    world.publisher.replies = [
        of_oasis(oasis_error(1000, "No data returned for the specified selection"), "INVALID_REQUEST.xml")
    ]
    (day,), _ = await world.fetch("caiso:sld_fcst_dam", DAY, today=DAY)
    assert day.outcome is FetchOutcome.NOT_PUBLISHED
    assert "error 1000: No data returned" in day.detail


async def test_oasis_that_is_busy_is_asked_again(world: World) -> None:
    busy = of_oasis(oasis_error(1015, "GroupZip DownLoad is in Processing"), "INVALID_REQUEST.xml")
    world.publisher.replies = [busy, of_oasis(zipped(**{f"{ANSWER}.csv": sample(f"{ANSWER}.csv")}), ANSWER)]
    (day,), reports = await world.fetch("caiso:sld_fcst_dam", DAY, today=DAY)
    assert [file.path.name for file in day.files] == [f"{ANSWER}.zip"]
    assert datasets(reports) == {"caiso:sld_fcst_dam"}


async def test_a_query_that_oasis_refuses_is_not_repeated(world: World) -> None:
    world.publisher.replies = [of_oasis(oasis_error(1004, "Data can be requested for period of 31 days only"), "x.xml")]
    with pytest.raises(FetchRefused, match="period of 31 days only"):
        await world.fetch("caiso:sld_fcst_dam", DAY, today=DAY)
    assert len(world.publisher.received) == 1


# --- SPP --------------------------------------------------------------------------------------------------------------

SPP_SAMPLE = "RTBM-LMP-DAILY-SL-20250704.csv"


async def test_spps_intervals_of_yesterday_are_loaded_without_those_that_are_missing(world: World) -> None:
    world.serve({"path=/2025/07/By_Interval/04/RTBM-LMP-SL-202507040005.csv": sample(SPP_SAMPLE)})
    (day,), reports = await world.fetch("spp:rtbm_lmp_sl", DAY, today=date(2025, 7, 5))
    assert len(world.publisher.received) == 288
    assert [file.path.name for file in day.files] == ["RTBM-LMP-SL-202507040005.csv"]
    assert datasets(reports) == {"spp:rtbm_lmp_sl"}


async def test_spps_newest_interval_is_loaded_under_its_name(world: World) -> None:
    world.serve({"path=/RTBM-LMP-SL-latestInterval.csv": sample(SPP_SAMPLE)})
    (day,), reports = await world.fetch("spp:rtbm_lmp_sl", DAY, today=DAY)
    assert day.files[0].path.name == "RTBM-LMP-SL-latestInterval.csv"
    assert datasets(reports) == {"spp:rtbm_lmp_sl"}


# --- others -----------------------------------------------------------------------------------------------------------


async def test_aesos_report_is_of_today_only(world: World) -> None:
    world.serve({"CSDReportServlet?contentType=csv": sample("CSDReportServlet.csv")})
    days, reports = await world.fetch("aeso:current_supply_demand", date(2025, 7, 3), DAY, today=DAY)
    assert [each.outcome for each in days] == [FetchOutcome.NOT_PUBLISHED, FetchOutcome.DOWNLOADED]
    assert len(world.publisher.received) == 1
    assert datasets(reports) == {"aeso:current_supply_demand"}


async def test_the_drought_monitors_answer_for_an_unknown_area_is_refused(world: World) -> None:
    world.publisher.replies = [Reply(b'"-area of interest not recognized.\r\n"')]
    with pytest.raises(FetchRefused, match="area of interest not recognized"):
        await world.fetch("drought_monitor:dsci", DAY, today=DAY, parts=("TX",))


async def test_a_file_without_the_name_of_its_commodity_is_stored_under_one(world: World) -> None:
    world.serve({"/natural-gas/main/data/daily.csv": sample("henry_hub_daily.csv")})
    (history,), reports = await world.fetch("datahub:natural_gas_daily", DAY, today=DAY)
    assert history.files[0].path.name == "henry_hub_daily.csv"
    assert datasets(reports) == {"datahub:natural_gas_daily"}


async def test_eias_workbook_of_the_past_year_is_found_where_it_was_moved(world: World) -> None:
    world.serve({"/xls/archive/ice_electric-2025final.xlsx": sample("ice_electric-2025final.xlsx")})
    (year,), reports = await world.fetch("eia:wholesale_hubs", DAY, today=date(2026, 1, 9))
    assert world.publisher.paths[-1].endswith("/xls/archive/ice_electric-2025final.xlsx")
    assert year.outcome is FetchOutcome.DOWNLOADED
    assert datasets(reports) == {"eia:wholesale_hubs"}
