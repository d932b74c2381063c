"""The import path of the bench, which is not installed: the root of the repository, as for ``python -m bench``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
