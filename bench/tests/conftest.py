"""The bench is no installed member: it is imported from the repository's root, where ``python -m bench`` finds it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
