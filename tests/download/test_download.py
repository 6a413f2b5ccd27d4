"""A download ends with the whole file under its name, or with one sentence and nothing under that name."""

import gzip
import hashlib
import os
import resource
import signal
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from servers import serving

from sphereconn.download import download
from sphereconn.errors import InputError

LIBRARY = Path(__file__).parents[2] / "workflow" / "lib"
IMAGE = gzip.compress(np.random.default_rng(0).bytes(300_000), mtime=0)  # noise: about as large as its content
TABLE = b"csf\twhite_matter\n" + b"1.5\t2.5\n" * 5000
NAME = "sub-01_bold.nii.gz"


@pytest.fixture
def server():
    with serving({"/image": IMAGE, "/table": TABLE}) as files:
        yield files


@pytest.fixture
def fetch(server, tmp_path):
    """Download the image with hardly any pause; give its path."""

    def run(path="/image", name=NAME, **options):
        target = tmp_path / name
        download(server.url + path, target, **{"first_pause": 0.01, "timeout": 5.0, **options})
        return target

    return run


def left(folder, name=NAME):
    """What lies in the folder, less the file itself and its checksum."""
    return sorted({path.name for path in folder.iterdir()} - {name, f"{name}.sha256"})


def failure(fetch, **options):
    with pytest.raises(InputError) as caught:
        fetch(**options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_file_arrives_whole_with_its_checksum_beside_it(fetch, tmp_path):
    target = fetch()
    assert target.read_bytes() == IMAGE
    assert (tmp_path / f"{NAME}.sha256").read_text() == f"{hashlib.sha256(IMAGE).hexdigest()}  {NAME}\n"
    assert left(tmp_path) == []


def test_the_checksum_is_read_by_sha256sum(fetch, tmp_path):
    fetch()
    done = subprocess.run(["sha256sum", "--check", f"{NAME}.sha256"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == f"{NAME}: OK\n"


def test_a_table_arrives_whole(fetch):
    assert fetch("/table", "confounds.tsv").read_bytes() == TABLE


def test_a_dropped_connection_goes_on_where_it_ended(fetch, server, tmp_path):
    server.script = ["drop 100000", "drop 50000"]
    assert fetch().read_bytes() == IMAGE
    assert [wanted for _, wanted in server.asked] == [None, "bytes=100000-", "bytes=150000-"]
    assert left(tmp_path) == []


def test_many_drops_are_no_failure_as_long_as_each_attempt_brings_something(fetch, server):
    server.script = ["drop 20000"] * 12
    assert fetch(attempts=2).read_bytes() == IMAGE


def test_a_server_that_ignores_ranges_starts_from_the_beginning(fetch, server):
    server.ranges, server.script = False, ["drop 100000"]
    assert fetch().read_bytes() == IMAGE


def test_a_server_that_ignores_ranges_and_always_drops_is_given_up(fetch, server, tmp_path):
    server.ranges, server.script = False, ["drop 100000"] * 20
    message = failure(fetch, attempts=3)
    assert "3 attempts in a row failed (the connection was dropped after 0.1 MB of 0.3 MB)" in message
    assert len(server.asked) == 4  # the first brought something new
    assert not (tmp_path / NAME).exists()


def test_another_version_of_the_file_is_not_glued_to_the_first(fetch, server):
    server.script = ["drop 100000", "status 503"]
    other = gzip.compress(np.random.default_rng(1).bytes(300_000), mtime=0)

    def publish():
        while len(server.asked) < 2:
            time.sleep(0.005)
        server.content["/image"], server.etag = other, '"second"'

    threading.Thread(target=publish).start()
    assert fetch(first_pause=0.2).read_bytes() == other
    assert server.headers_asked[-1]["If-Range"] == '"first"'


def test_without_an_etag_a_glued_file_is_noticed_and_fetched_anew(fetch, server, tmp_path):
    server.etag = None
    (tmp_path / f"{NAME}.part").write_bytes(gzip.compress(np.random.default_rng(1).bytes(200_000), mtime=0))
    assert fetch().read_bytes() == IMAGE
    assert server.asked[0][1] is not None
    assert server.asked[-1][1] is None


def test_a_table_without_an_etag_is_never_glued(fetch, server, tmp_path):
    server.etag = None
    (tmp_path / "confounds.tsv.part").write_bytes(b"of another version")
    assert fetch("/table", "confounds.tsv").read_bytes() == TABLE
    assert server.asked == [("/table", None)]


def test_a_wrong_content_range_is_not_believed(fetch, server):
    server.script = ["drop 100000", "shift 7"]
    assert fetch().read_bytes() == IMAGE


@pytest.mark.parametrize("fault", ["corrupt 150000", "length -5000", "length 5000", "vanish", "unsized", "status 500"])
def test_one_bad_answer_is_followed_by_a_good_one(fetch, server, tmp_path, fault):
    server.script = [fault]
    assert fetch(timeout=1.0).read_bytes() == IMAGE
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("corrupt 150000", "what arrived is no sound gzip file"),
        ("length -5000", "what arrived is no sound gzip file"),
        ("vanish", "the connection was dropped"),
        ("status 503", "the server says 503 Service Unavailable"),
        ("hang 3", "the server does not answer in time"),
    ],
)
def test_what_does_not_pass_ends_with_one_sentence_and_no_file(fetch, server, tmp_path, fault, sentence):
    server.script = [fault] * 3
    message = failure(fetch, attempts=3, timeout=0.3)
    assert sentence in message
    assert f"put the file into {tmp_path} yourself" in message
    assert [path.name for path in tmp_path.iterdir()] == []


def test_a_truncated_file_of_unknown_length_is_noticed(fetch, server):
    server.content["/image"] = IMAGE[:-4000]
    server.script = ["unsized"] * 2
    assert "no sound gzip file" in failure(fetch, attempts=2)


def test_a_server_that_asks_to_wait_is_waited_for(fetch, server):
    server.script = ["status 429 1"]
    started = time.monotonic()
    assert fetch().read_bytes() == IMAGE
    assert time.monotonic() - started >= 1


def test_a_date_to_wait_for_that_has_passed_is_not_waited_for(fetch, server):
    server.script = ["status 503 Wed, 21 Oct 2015 07:28:00 GMT"]
    assert fetch().read_bytes() == IMAGE


@pytest.mark.parametrize(("path", "code"), [("/nowhere", 404), ("/image", 403)])
def test_a_refusal_that_will_not_pass_is_not_tried_again(fetch, server, path, code):
    server.script = [f"status {code}"]
    assert f"{path}: {NAME} cannot be downloaded, the server says {code}" in failure(fetch, path=path)
    assert len(server.asked) == 1


def test_a_web_page_is_not_taken_for_the_file(fetch, server, tmp_path):
    server.script = ["page"]
    assert "the answer is a web page, not a file" in failure(fetch, path="/table", name="confounds.tsv")
    assert list(tmp_path.iterdir()) == []


def test_redirections_are_followed_and_keep_the_range(fetch, server):
    server.script = ["redirect /image", "drop 100000", "redirect /image"]
    assert fetch("/moved").read_bytes() == IMAGE
    assert server.asked == [
        ("/moved", None),
        ("/image", None),
        ("/moved", "bytes=100000-"),
        ("/image", "bytes=100000-"),
    ]


@pytest.mark.parametrize("place", ["file:///etc/hostname", "ftp://localhost/image"])
def test_a_redirection_to_another_kind_of_address_is_refused(fetch, server, tmp_path, place):
    server.script = [f"redirect {place}"]
    assert place in failure(fetch)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://localhost/image", "data:text/plain,a", "/etc/hostname"])
def test_only_web_addresses_are_downloaded(tmp_path, url):
    with pytest.raises(InputError, match="only addresses that start with https:// or http://"):
        download(url, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_named(tmp_path, server):
    with serving({}) as gone:
        pass
    with pytest.raises(InputError, match="no connection: Connection refused"):
        download(gone.url + "/image", tmp_path / NAME, attempts=2, first_pause=0.01)
    assert list(tmp_path.iterdir()) == []


def test_a_certificate_that_does_not_verify_ends_at_once(fetch, monkeypatch):
    # What a handshake with an unknown authority raises; a server of our own would need a key in the repository.
    def refuse(*arguments, **options):
        problem = ssl.SSLCertVerificationError(1, "certificate verify failed")
        problem.verify_message = "self-signed certificate"
        raise problem

    monkeypatch.setattr("http.client.HTTPConnection.connect", refuse)
    assert "certificate does not verify (self-signed certificate)" in failure(fetch)


def test_certificates_are_asked_for(monkeypatch):
    from sphereconn.download import _opener

    (handler,) = [item for item in _opener().handlers if type(item).__name__ == "HTTPSHandler"]
    assert handler._context.verify_mode == ssl.CERT_REQUIRED
    assert handler._context.check_hostname


def test_the_same_file_downloaded_again_must_have_the_same_checksum(fetch, server, tmp_path):
    fetch().unlink()
    server.content["/image"] = gzip.compress(b"another file", mtime=0)
    message = failure(fetch)
    assert "is not the file of the first download" in message
    assert hashlib.sha256(IMAGE).hexdigest() in message
    assert [path.name for path in tmp_path.iterdir()] == [f"{NAME}.sha256"]
    server.content["/image"] = IMAGE
    assert fetch().read_bytes() == IMAGE


def test_a_full_disk_is_a_sentence_and_the_download_goes_on_later(fetch, server, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    try:
        message = failure(fetch)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"{tmp_path / NAME}: the disk is full" in message
    assert not (tmp_path / NAME).exists()
    assert fetch().read_bytes() == IMAGE
    assert server.asked[1][1] == "bytes=65536-"


def test_a_file_larger_than_what_is_free_is_not_begun(fetch, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000}))
    assert "the disk is full" in failure(fetch)
    assert NAME not in os.listdir(tmp_path)


def test_a_folder_that_cannot_be_made_is_a_sentence(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        download(server.url + "/image", tmp_path / "file" / NAME)


def test_a_killed_download_is_resumed_by_the_next_process(server, fetch, tmp_path):
    server.script = ["slow 0.1"]  # 1.5 s in all
    code = f"from sphereconn.download import download; download({server.url + '/image'!r}, {str(tmp_path / NAME)!r})"
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(LIBRARY)})
    part = tmp_path / f"{NAME}.part"
    while process.poll() is None and not (part.exists() and part.stat().st_size > 50_000):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    arrived = part.stat().st_size
    assert 50_000 < arrived < len(IMAGE)
    assert not (tmp_path / NAME).exists()
    assert fetch().read_bytes() == IMAGE
    assert server.asked[-1][1] == f"bytes={arrived}-"
    assert left(tmp_path) == []


def test_a_process_killed_after_the_last_byte_downloads_nothing_again(fetch, server, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(IMAGE)
    assert fetch().read_bytes() == IMAGE
    assert server.asked == [("/image", f"bytes={len(IMAGE)}-")]


def test_two_processes_never_write_one_part(server, fetch, tmp_path):
    server.script = ["slow 0.03"]
    first = threading.Thread(target=fetch)
    first.start()
    while not server.asked:
        time.sleep(0.005)
    assert "another process is downloading this file" in failure(fetch)
    first.join()
    assert (tmp_path / NAME).read_bytes() == IMAGE


def test_several_files_at_once(server, fetch, tmp_path):
    server.script = ["drop 1000", "status 503", "drop 70000", "vanish"]
    names = [f"sub-{number:02d}_bold.nii.gz" for number in range(8)]
    threads = [threading.Thread(target=fetch, kwargs={"name": name}) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: (tmp_path / name).read_bytes() == IMAGE for name in names} == dict.fromkeys(names, True)
    assert len(list(tmp_path.iterdir())) == 16


def test_the_log_says_how_far_it_is(fetch, server, capsys, monkeypatch):
    monkeypatch.setattr("sphereconn.download.SECONDS_BETWEEN_REPORTS", 0.05)
    server.script = ["drop 100000", "slow 0.02"]
    fetch()
    log = capsys.readouterr().out
    assert f"{NAME}: the connection was dropped after 0.1 MB of 0.3 MB; next attempt in 0 s, from 0.1 MB on" in log
    assert " of 0.3 MB, 6" in log  # percent
    assert " MB/s\n" in log
    assert f"{NAME}: complete, 0.3 MB in " in log
