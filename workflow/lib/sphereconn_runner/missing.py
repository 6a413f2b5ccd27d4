"""Say which inputs are missing in the words of the study, in place of Snakemake's exception for one of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import snakemake.api  # noqa: F401  first: Snakemake's modules import each other in a circle
from snakemake.exceptions import MissingInputException
from snakemake.logging import logger
from snakemake.workflow import Workflow


def tell_what_is_missing(told: Callable[[], str | None]) -> None:
    """Where planning fails for want of an input, say what ``told`` says of it, or what Snakemake says if it is None."""
    build = Workflow._build_dag

    def build_dag(self: Any, *arguments: Any, **options: Any) -> None:
        try:
            build(self, *arguments, **options)
        except MissingInputException:
            if said := told():
                # Snakemake would set its own words and our line numbers around an exception.
                logger.error(f"error: {said}")
                sys.exit(1)
            raise

    Workflow._build_dag = build_dag
