"""Fixtures that the tests of this member share."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "support"))
