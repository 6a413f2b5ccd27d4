"""Remove the results that the configuration does not ask for any more, and the folders that this leaves empty."""

from pathlib import Path

from sphereconn.log import logged

with logged(snakemake.log[0]):
    root = Path(snakemake.params.root)
    for path in snakemake.params.orphans:
        (root / path).unlink()
        print(f"removed {path}")
        for folder in (root / path).parents:
            if folder == root or any(folder.iterdir()):
                break
            folder.rmdir()
