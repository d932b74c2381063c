"""Installs the package of a source into a folder, as an installer does: the package, and the metadata with its entry point."""

from __future__ import annotations

import shutil
from pathlib import Path

from aurum.pipelines.scaffold import distribution_of, package_of, write_source


def install_source(name: str, site: Path, *, module: str | None = None, attribute: str = "SOURCE") -> Path:
    """Install the package that ``aurum sources new`` writes into the folder ``site``, and return the folder of its modules.

    ``module`` and ``attribute``: what the entry point names, if not the ``SOURCE`` of the package.
    """
    written = write_source(name, site / ".written")
    package = site / package_of(name)
    shutil.copytree(written / "src" / package_of(name), package)
    metadata = site / f"{distribution_of(name).replace('-', '_')}-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution_of(name)}\nVersion: 0.1.0\n")
    (metadata / "entry_points.txt").write_text(f"[aurum.sources]\n{name} = {module or package_of(name)}:{attribute}\n")
    return package
