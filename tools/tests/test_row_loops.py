import doctest
import importlib.util
from pathlib import Path


def test_the_lint_finds_unmarked_row_loops_only() -> None:
    path = Path(__file__).parents[1] / "lint" / "row_loops.py"
    spec = importlib.util.spec_from_file_location("row_loops", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    results = doctest.testmod(module)
    assert results.attempted == 2
    assert results.failed == 0
