"""Calls that are made at once."""

import signal
import subprocess
import sys
from pathlib import Path

AT_WORK = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from sphereconn.threads import map_at_once

def call(number):
    os.write(1, b"at work\\n")
    time.sleep(600)

map_at_once(2, call, range(4))
"""


def test_ctrl_c_waits_for_no_call():
    """Also in an interpreter of its own, which would wait for threads that it knows of when it ends."""
    library = Path(__file__).parents[1] / "workflow" / "lib"
    running = subprocess.Popen([sys.executable, "-c", AT_WORK, library], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert [running.stdout.readline() for _ in range(2)] == [b"at work\n"] * 2
    running.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in running.communicate(timeout=60)[1]
