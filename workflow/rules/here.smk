"""The folder of this workflow, `HERE`: where it lies, or a copy of it when Snakemake took it from a repository.

Of a repository (`github`, `gitlab`, `gitfile`) Snakemake fetches single files of text, as it needs them. The modules, tables
and images that jobs read are no such files, so the whole is put into Snakemake's cache of sources, once for each commit.
From there on, everything is a file on the disk.
"""

import shutil
import subprocess
import tempfile

from snakemake.exceptions import WorkflowError
from snakemake.sourcecache import HostingProviderFile, LocalGitFile


def git(repository, *arguments):
    """Give what git says of a repository."""
    done = subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True)
    if done.returncode:
        raise WorkflowError(f"git in {repository}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode().strip()


def on_disk(folder):
    """Give a folder of a workflow on the disk; of one in a repository, that of a copy of the commit."""
    if isinstance(folder, HostingProviderFile):
        repository = folder.hosted_repo.repo_clone
    elif isinstance(folder, LocalGitFile):
        repository = folder.repo_path
    else:
        return Path(folder)
    commit = git(repository, "rev-parse", f"{folder.ref}^{{commit}}")
    copies = Path(workflow.sourcecache.cache_path) / "sphereconn"
    if not (copies / commit).is_dir():
        copies.mkdir(parents=True, exist_ok=True)
        # Whole or not at all, however many processes begin at once.
        with tempfile.TemporaryDirectory(dir=copies) as unfinished:
            archive, copy = Path(unfinished) / "archive.zip", Path(unfinished) / "copy"
            git(repository, "archive", f"--output={archive}", commit)
            shutil.unpack_archive(archive, copy)
            try:
                copy.rename(copies / commit)
            except OSError:
                if not (copies / commit).is_dir():
                    raise
    return copies / commit / folder.path


HERE = on_disk(workflow.current_basedir).parents[1]
