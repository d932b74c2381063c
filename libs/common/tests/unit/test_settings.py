from pathlib import Path

import pytest
from pydantic import ValidationError

from aurum.common.contracts import ContractsNotFound, contracts_directory
from aurum.common.errors import InvalidSetting
from aurum.common.settings import load_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_environment_wins_over_the_file_and_both_over_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("AURUM_API__PORT=9001\nAURUM_API__HOST=127.0.0.2\n")
    monkeypatch.setenv("AURUM_API__PORT", "9002")
    settings = load_settings()
    assert (settings.api.port, settings.api.host, settings.database.pool_size) == (9002, "127.0.0.2", 8)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("AURUM_DATABASE__URL", "localhost", "needs postgresql://"),
        ("AURUM_REDIS__URL", "localhost", "needs redis://"),
        ("AURUM_TRINO__WAREHOUSE", "hdfs://a/b", "needs file:///folder or s3://"),
        ("AURUM_TRINO__SCHEMA", "a; DROP TABLE b", "should match pattern"),
        ("AURUM_CLICKHOUSE__URL", "clickhouse://localhost:9000", "needs http://"),
        ("AURUM_CLICKHOUSE__URL", "http://localhost:8123/aurum", "AURUM_CLICKHOUSE__DATABASE"),
        ("AURUM_CLICKHOUSE__DATABASE", "a; DROP", "pattern"),
        ("AURUM_API__PORT", "99999", "less than or equal to 65535"),
        ("AURUM_LOGGING__LEVEL", "LOUD", "'DEBUG', 'INFO'"),
    ],
)
def test_a_bad_value_is_one_line_with_the_variable_its_value_and_what_is_accepted(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSetting) as caught:
        load_settings()
    line = str(caught.value)
    assert line.startswith(f"{variable}: got {value!r}")
    assert says in line
    assert "\n" not in line


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load_settings().data_dir = Path("elsewhere")


def test_a_missing_contracts_folder_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ContractsNotFound, match="AURUM_CONTRACTS_DIR"):
        contracts_directory(tmp_path / "none")


@pytest.mark.parametrize("variable", ["AURUM_CLICKHOUSE__URL", "AURUM_DATABASE__URL", "AURUM_REDIS__URL"])
def test_the_line_about_a_bad_url_contains_no_password(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "native://reader:open-sesame@host:9000")
    with pytest.raises(InvalidSetting, match=rf"^{variable}: got 'native://\*\*\*@host:9000', needs") as caught:
        load_settings()
    assert "open-sesame" not in str(caught.value)


def test_a_url_with_a_password_is_not_shown_where_settings_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURUM_CLICKHOUSE__URL", "https://reader:open-sesame@host:8443")
    settings = load_settings()
    assert settings.clickhouse.is_set
    assert "open-sesame" not in repr(settings)


def test_the_copy_for_wide_scans_is_on_a_server_or_in_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not load_settings().clickhouse.is_set
    monkeypatch.setenv("AURUM_CLICKHOUSE__URL", "http://reader:open-sesame@host:8123")
    monkeypatch.setenv("AURUM_CLICKHOUSE__FOLDER", "copy")
    with pytest.raises(InvalidSetting, match="not both") as caught:
        load_settings()
    assert "open-sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("AURUM_DATABASE__URLL", "AURUM_DATABASE__URL"),
        ("AURUM_DATABASE_URL", "AURUM_DATABASE__URL"),
        ("AURUM_DATABASE__POOL__SIZE", "AURUM_DATABASE__POOL_SIZE"),
        ("AURUM_CACHE__FRESH_S__LIFE", "AURUM_CACHE__FRESH_S__LIVE"),
        ("AURUM_TRINO__SCHEMA_", "AURUM_TRINO__SCHEMA"),
        ("AURUM_DATADIR", "AURUM_DATA_DIR"),
        ("aurum_api__prot", "AURUM_API__PORT"),
    ],
)
def test_a_variable_that_is_not_a_setting_is_refused_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, nearest: str
) -> None:
    monkeypatch.setenv(variable, "open-sesame")
    with pytest.raises(InvalidSetting) as caught:
        load_settings()
    assert str(caught.value) == f"{variable.upper()}: there is no such setting; did you mean {nearest}?"


def test_a_name_in_the_file_that_is_not_a_setting_is_refused_and_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PATH_OF_ANOTHER=1\nAURUM_API__PROT=9001\n")
    with pytest.raises(
        InvalidSetting, match=r"^AURUM_API__PROT in \.env: there is no such setting; did you mean AURUM_API__PORT\?$"
    ):
        load_settings()


@pytest.mark.parametrize(
    "variable", ["AURUM_TEST_PROCESSES", "AURUM_BENCH_TIMESCALE_URL", "AURUM_DB_PASSWORD", "AURUMX", "PATH_X"]
)
def test_variables_of_tests_benchmarks_compose_and_other_programs_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    (tmp_path / ".env").write_text(f"{variable}=1\n")
    load_settings()


def test_a_group_of_settings_may_be_one_json_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURUM_CACHE__FRESH_S", '{"live": 5}')
    monkeypatch.setenv("AURUM_API", '{"port": 9001}')
    settings = load_settings()
    assert (settings.cache.fresh_s.live, settings.api.port) == (5, 9001)
