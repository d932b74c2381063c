from pathlib import Path


def test_the_lock_names_no_package_index() -> None:
    lock = (Path(__file__).parents[2] / "uv.lock").read_text()
    addresses = {line.split("https://", 1)[1].split("/")[0].split('"')[0] for line in lock.splitlines() if "https://" in line}
    assert addresses == {"index.invalid"}
