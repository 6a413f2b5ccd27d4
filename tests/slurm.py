"""A SLURM of two nodes on this machine, from the daemons of the distribution: for as long as a test needs it."""

import fcntl
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel", "sinfo")
# Within a job, SLURM's commands look here and nowhere else.
CONFIGURATION = Path("/etc/slurm/slurm.conf")
LOCK = Path("/run/lock/sphereconn-slurm-test")

# No control groups and no accounting: the daemons watch processes and their memory themselves.
SETTINGS = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/ended_jobs.txt
MinJobAge=300
KillWait=1
SlurmdTimeout=60
NodeName=node1 NodeHostname={host} NodeAddr=127.0.0.1 Port={port1} CPUs=16 RealMemory=12000
NodeName=node2 NodeHostname={host} NodeAddr=127.0.0.1 Port={port2} CPUs=16 RealMemory=12000
PartitionName=all Nodes=node[1-2] Default=YES MaxTime=INFINITE State=UP
"""


@dataclass(frozen=True)
class Cluster:
    """The folder where the cluster keeps its files, and what an administrator does."""

    folder: Path

    def command(self, *arguments: str) -> str:
        """Run one of SLURM's commands."""
        return subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=60).stdout

    def logs_of_nodes(self) -> str:
        """What the nodes have logged."""
        return "".join(file.read_text() for file in self.folder.glob("slurmd.*.log"))

    def ended(self) -> list[dict[str, str]]:
        """Say of each job that has ended what SLURM keeps of it: JobState, NodeList, …, in the order of ending."""
        lines = (self.folder / "ended_jobs.txt").read_text().splitlines()
        return [dict(item.split("=", 1) for item in line.split() if "=" in item) for line in lines]


def missing() -> str | None:
    """Say why there can be no cluster on this machine."""
    if os.geteuid() != 0:
        return "a SLURM cluster can only be started by root"
    programs = [name for name in PROGRAMS if shutil.which(name) is None]
    if programs:
        return f"{', '.join(programs)} must be installed (Debian: slurmctld slurmd slurm-client munge)"
    if CONFIGURATION.exists() and not _left_by_a_killed_test():
        return f"{CONFIGURATION} exists: this machine has a SLURM of its own"
    return None


def _left_by_a_killed_test() -> bool:
    return CONFIGURATION.is_symlink() and (CONFIGURATION.resolve().parent / "munge.key").exists()


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster that keeps its files in a folder; its daemons end with the block."""
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the link below is one for the whole machine
        ports = _free_ports(3)
        settings = SETTINGS.format(
            folder=folder, host=socket.gethostname().split(".")[0], port=ports[0], port1=ports[1], port2=ports[2]
        )
        (folder / "slurm.conf").write_text(settings)
        (folder / "state").mkdir()
        (folder / "munge.key").write_bytes(os.urandom(128))
        (folder / "munge.key").chmod(0o400)
        CONFIGURATION.parent.mkdir(exist_ok=True)
        CONFIGURATION.unlink(missing_ok=True)
        CONFIGURATION.symlink_to(folder / "slurm.conf")
        daemons = []
        try:
            files = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
            daemons.append(_start("munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *files))
            _wait_for(lambda: (folder / "munge.socket").exists(), daemons)
            daemons.append(_start("slurmctld", "-D", "-i"))
            daemons += [_start("slurmd", "-D", "-N", node) for node in ("node1", "node2")]
            made = Cluster(folder)
            _wait_for(lambda: _idle_nodes(made) == 2, daemons)
            yield made
            subprocess.run(["scancel", "--user=root"], check=False)
        finally:
            for daemon in reversed(daemons):
                daemon.terminate()
            for daemon in daemons:
                with suppress(subprocess.TimeoutExpired):
                    daemon.wait(20)
                daemon.kill()
            CONFIGURATION.unlink()


def _start(*command: str) -> subprocess.Popen:
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _idle_nodes(cluster: Cluster) -> int:
    with suppress(subprocess.CalledProcessError):
        return len(cluster.command("sinfo", "--noheader", "--Node", "--states=idle").splitlines())
    return 0


def _wait_for(condition, daemons: list[subprocess.Popen]) -> None:
    end = time.monotonic() + 60
    while not condition():
        ended = [daemon.args[0] for daemon in daemons if daemon.poll() is not None]
        assert not ended, f"{ended[0]} has ended"
        assert time.monotonic() < end, "the cluster has not come up within a minute"
        time.sleep(0.2)


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
