"""Tests of curves share ``support/curve_quotes.py``."""

import sys
from pathlib import Path

# Test modules have no package (importlib mode), so what they share is found by path.
sys.path.append(str(Path(__file__).parent / "support"))
