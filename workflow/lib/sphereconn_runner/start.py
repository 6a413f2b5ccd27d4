"""The checked start: look at a study's configuration safely, then hand it to Snakemake. Called by ./sphereconn."""

from __future__ import annotations

import os
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
USAGE = """\
usage: ./sphereconn STUDY.yaml [options of snakemake]

    ./sphereconn my_study.yaml -n                  show what would run
    ./sphereconn my_study.yaml --cores 4           run it
    ./sphereconn my_study.yaml --cores 1 TARGET    make one target, such as remove_orphans
    ./sphereconn participant|group BIDS_DIR OUT_DIR --config my_study.yaml
                                                   the same as a BIDS App; `./sphereconn group` says more

Without --cores all cores are used."""


def command(study: str, options: list[str]) -> list[str]:
    """Give Snakemake's command for a study; what the user says of cores comes last and counts."""
    snakefile = os.path.relpath(CHECKOUT / "Snakefile")
    start = [sys.executable, "-P", "-m", "snakemake", f"--snakefile={snakefile}", f"--configfile={study}"]
    has_profile = any(option.startswith("--profile") for option in options)
    return [*start, *([] if has_profile else ["--cores=all"]), *options]


def main(arguments: list[str]) -> None:
    """Check the configuration and become Snakemake, or end with one sentence."""
    if not arguments or arguments[0].startswith("-"):
        sys.exit(USAGE)
    if find_spec("snakemake") is None:
        sys.exit(f"error: there is no Snakemake in {sys.executable}; `make setup` in {CHECKOUT} installs it.")
    runpy.run_path(str(Path(__file__).with_name("byte_code.py")))
    sys.path.insert(0, str(CHECKOUT / "workflow" / "lib"))
    from sphereconn.errors import InputError
    from sphereconn.plan import bids_app
    from sphereconn.study.configuration import check_configuration

    try:
        if bids_app.is_bids_app(arguments):
            asked = bids_app.read_arguments(arguments)
            check_configuration(asked.study)
            study, options = asked.study, bids_app.options_of(asked, CHECKOUT)
        else:
            study, *options = arguments
            check_configuration(study)
    except InputError as problem:
        sys.exit(f"error: {problem}")
    started = command(study, options)
    os.execv(started[0], started)


if __name__ == "__main__":
    main(sys.argv[1:])
