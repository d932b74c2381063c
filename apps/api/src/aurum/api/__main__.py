"""The command line of the service: ``python -m aurum.api serve``, ``openapi`` and ``data-docs``."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path


def main() -> int:
    """Run a subcommand and return its exit code: 1 after an expected failure, 2 for wrong settings, each with one line."""
    parser = argparse.ArgumentParser(prog="aurum.api")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve HTTP until SIGTERM or SIGINT")
    serve.add_argument("--host", help="address to listen on (default: AURUM_API__HOST)")
    serve.add_argument("--port", type=int, help="port to listen on (default: AURUM_API__PORT)")
    serve.add_argument("--workers", type=int, help="number of processes (default: AURUM_API__WORKERS)")
    commands.add_parser("openapi", help="print the OpenAPI document as JSON")
    data_docs = commands.add_parser("data-docs", help="write the results of data checks as HTML pages")
    data_docs.add_argument("--out", type=Path, required=True, help="folder to write the pages to")
    arguments = parser.parse_args()
    if arguments.command == "openapi":
        return _openapi()
    return _data_docs(arguments.out) if arguments.command == "data-docs" else _serve(arguments)


def _openapi() -> int:
    from aurum.api.main import openapi_document

    sys.stdout.write(json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n")
    return 0


def _data_docs(folder: Path) -> int:
    from aurum.api.datadocs.export import write_site
    from aurum.assembly.postgres import open_store
    from aurum.common.contracts import ContractsNotFound, contracts_directory
    from aurum.common.errors import InvalidSetting
    from aurum.common.settings import load_settings
    from aurum.core.errors import Unavailable

    async def write() -> int:
        contracts = contracts_directory(settings.contracts_dir)
        async with open_store(settings) as store:
            return await write_site(folder, contracts=contracts, log=store.quality.validations)

    try:
        settings = load_settings()
        if settings.database.url is None:
            print("aurum.api: AURUM_DATABASE__URL is not set (`aurum quality docs` sets it)", file=sys.stderr)
            return 1
        written = asyncio.run(write())
    except (InvalidSetting, ContractsNotFound) as error:
        print(f"aurum.api: {error}", file=sys.stderr)
        return 2
    except Unavailable as error:
        print(f"aurum.api: AURUM_DATABASE__URL: {error.operator_detail}", file=sys.stderr)
        return 1
    print(f"{written} pages in {folder}: open {folder / 'index.html'}")
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    from aurum.api.serving.server import serve
    from aurum.assembly.postgres import check_store
    from aurum.common.errors import InvalidSetting
    from aurum.common.settings import load_settings
    from aurum.common.settings.production import refusals_to_start
    from aurum.core.errors import Unavailable

    try:
        settings = load_settings()
    except InvalidSetting as error:
        print(f"aurum.api: {error}", file=sys.stderr)
        return 2
    host = arguments.host or settings.api.host
    if refusals := refusals_to_start(settings, host):
        print("\n".join(f"aurum.api: {line}" for line in refusals), file=sys.stderr)
        return 1
    if settings.access.mode == "open":
        print(
            "aurum.api: open mode: every process of this machine has all permissions (AURUM_ACCESS__MODE=required ends that)",
            file=sys.stderr,
        )
    if settings.database.url is None:
        print("aurum.api: AURUM_DATABASE__URL is not set (`aurum up` sets it)", file=sys.stderr)
        return 1
    workers = arguments.workers or settings.api.workers
    if workers > 1 and settings.api.cursor_secret is None:
        print(
            "aurum.api: AURUM_API__CURSOR_SECRET is not set; with several workers it is needed to share cursors",
            file=sys.stderr,
        )
        return 1
    try:
        asyncio.run(check_store(settings))
    except Unavailable as error:
        print(f"aurum.api: AURUM_DATABASE__URL: {error.operator_detail}", file=sys.stderr)
        return 1
    # Each worker reads the settings itself; its share of the rate limits depends on their number.
    environment = {"AURUM_API__WORKERS": str(workers), "AURUM_API__HOST": host}
    os.environ.update(environment)  # noqa: TID251 - spawned processes get their settings this way
    serve(
        "aurum.api.main:create_app_from_environment",
        settings.limits,
        host=host,
        port=settings.api.port if arguments.port is None else arguments.port,
        workers=workers,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        # The settings name the proxies whose headers are trusted; ``middleware.addresses`` reads them.
        proxy_headers=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
