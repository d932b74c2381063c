"""``make trino``: runs a single-node Trino with an embedded PostgreSQL on this machine, until Ctrl-C.

Needs Java 24 or newer and, the first time, Maven: it downloads the server (820 MB) into the cache folder of the user.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from aurum.storage.embedded import EmbeddedPostgres
from aurum.storage.embedded.trino import EmbeddedTrino
from aurum.storage.embedded.users import EmbeddedServerFailed


def main() -> int:
    parser = argparse.ArgumentParser(prog="trino", description=__doc__)
    parser.add_argument(
        "--data-dir", type=Path, default=Path(".aurum"), help="folder of the PostgreSQL of `aurum up`, and of the warehouse"
    )
    parser.add_argument("--port", type=int, default=8080)
    arguments = parser.parse_args()
    folder: Path = arguments.data_dir
    print("starting Trino; the first start downloads 820 MB", flush=True)
    stop = {signal.SIGINT, signal.SIGTERM}
    try:
        with EmbeddedPostgres(folder) as postgres, EmbeddedTrino(folder / "trino", postgres, port=arguments.port) as server:
            print(f"Trino is at {server.url}, with catalogs iceberg, store, memory and tpch; any user name, no password")
            print(f"  AURUM_TRINO__HOST=127.0.0.1 AURUM_TRINO__PORT={server.port}")
            print(f"  AURUM_TRINO__CATALOG_URI='{server.catalog_uri}'")
            print(f"  AURUM_TRINO__WAREHOUSE={server.warehouse}")
            print("  stop: Ctrl-C", flush=True)
            signal.pthread_sigmask(signal.SIG_BLOCK, stop)
            signal.sigwait(stop)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, stop)
    except EmbeddedServerFailed as error:
        print(error.detail, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
