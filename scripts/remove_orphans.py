"""Remove the results that the configuration does not ask for any more, and the folders that this leaves empty."""

from pathlib import Path

from sphereconn.log import logged

with logged(snakemake.log[0]):
    for path in map(Path, snakemake.params.orphans):
        path.unlink()
        print(f"removed {path}")
        for folder in path.parents:
            if any(folder.iterdir()):
                break
            folder.rmdir()
