"""``python -m aurum.workers``."""

import sys

from aurum.workers.main import main

if __name__ == "__main__":
    sys.exit(main())
