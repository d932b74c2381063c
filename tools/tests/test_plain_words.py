import doctest
import importlib.util
import sys
from pathlib import Path


def test_the_lint_finds_house_words_in_prose_and_names() -> None:
    path = Path(__file__).parents[1] / "lint" / "plain_words.py"
    spec = importlib.util.spec_from_file_location("plain_words", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    results = doctest.testmod(module)
    assert results.attempted == 4
    assert results.failed == 0
