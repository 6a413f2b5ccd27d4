"""A download ends with the whole file under its name, or with one sentence and nothing under that name."""

import gzip
import hashlib
import os
import resource
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from servers import serving

from sphereconn.download import _judge_redirection, _session, download
from sphereconn.errors import InputError
from sphereconn.files import CONTROL_CHARACTERS
from sphereconn.study.development_fmri import REDUCED
from sphereconn.study.development_fmri_files import check_confounds, check_image

LIBRARY = Path(__file__).parents[2] / "workflow" / "lib"
NAME = "sub-01_bold.nii.gz"
LARGEST = 1_000_000


def packed_image(seed):
    """A small image of noise, which compresses to about its own size: 0.3 MB."""
    noise = np.random.default_rng(seed).integers(-(2**15), 2**15, size=(10, 10, 10, 150), dtype=np.int16)
    return gzip.compress(nibabel.Nifti1Image(noise, np.diag([4, 4, 4, 1])).to_bytes(), mtime=0)


IMAGE = packed_image(0)
TABLE = ("\t".join(REDUCED) + "\n" + "\t".join("1.5" for _ in REDUCED) + "\n").encode()


@pytest.fixture
def server():
    with serving({"/image": IMAGE, "/table": TABLE}) as files:
        yield files


@pytest.fixture
def fetch(server, tmp_path):
    """Download the image with hardly any pause; give its path."""

    def run(path="/image", name=NAME, **options):
        target = tmp_path / name
        check = check_confounds if name.endswith(".tsv") else check_image
        download(server.url + path, target, **{"largest": LARGEST, "check": check, **QUICK, **options})
        return target

    return run


QUICK = {"first_pause": 0.01, "timeout": 5.0}


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


@pytest.mark.parametrize("fault", ["corrupt 150000", "length -5000", "length 5000", "vanish", "unsized", "status 500"])
def test_one_bad_answer_is_followed_by_a_good_one(fetch, server, tmp_path, fault):
    server.script = [fault]
    assert fetch(timeout=1.0).read_bytes() == IMAGE
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("corrupt 150000", "what arrived is not the file: the file is damaged"),
        ("length -5000", "what arrived is not the file: the file is damaged"),
        ("drop 100000", "the connection was dropped"),
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
    assert "the gzip stream ends after frame 14" in failure(fetch, attempts=2)


def test_a_server_that_asks_to_wait_is_waited_for(fetch, server):
    server.script = ["status 429 1"]
    started = time.monotonic()
    assert fetch().read_bytes() == IMAGE
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize("asked", ["Wed, 21 Oct 2099 07:28:00 GMT", "1_0", "²", "-5", "9" * 400, "1e9", "nan"])
def test_a_time_to_wait_that_is_no_number_of_seconds_is_not_waited_for(fetch, server, asked):
    server.script = [f"status 503 {asked}"]
    assert fetch().read_bytes() == IMAGE


def test_nobody_is_waited_for_longer_than_the_total_time(fetch, server, tmp_path):
    server.script = ["status 503 100"]
    started = time.monotonic()
    assert f"{NAME} is not complete after 0 s" in failure(fetch, total_time=0.3)
    assert time.monotonic() - started < 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("path", "code"), [("/nowhere", 404), ("/image", 403)])
def test_a_refusal_that_will_not_pass_is_not_tried_again(fetch, server, path, code):
    server.script = [f"status {code}"]
    assert f"{path}: {NAME} cannot be downloaded, the server says {code}" in failure(fetch, path=path)
    assert len(server.asked) == 1


def test_a_web_page_is_not_taken_for_the_file(fetch, server, tmp_path):
    server.script = ["page"]
    assert "the answer is a web page, not a file" in failure(fetch, path="/table", name="confounds.tsv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html><p>Please log in", b"\r\n <html><body>", b"<HTML>"], ids=["doctype", "spaces", "capitals"]
)
def test_nor_a_web_page_that_says_it_is_a_file(fetch, server, tmp_path, page):
    server.content["/table"] = page
    assert "the answer is a web page, not a file" in failure(fetch, path="/table", name="confounds.tsv")
    assert list(tmp_path.iterdir()) == []
    assert server.asked == ["/table"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (NAME, gzip.compress(b"not an image" * 100, mtime=0), "this is not a NIfTI image"),
        (NAME, b"{}", "the file is damaged"),
        (NAME, b"", "the file is empty"),
        ("confounds.tsv", b'{"errors":"gone"}', "the column 'trans_x' is missing"),
        ("confounds.tsv", IMAGE, "a tab-separated table is expected"),
    ],
)
def test_no_checksum_is_kept_of_something_else(fetch, server, tmp_path, name, content, sentence):
    server.content["/image"] = content
    assert sentence in failure(fetch, name=name, attempts=2)
    assert list(tmp_path.iterdir()) == []


def test_an_image_that_would_inflate_to_more_than_the_data_set_has_is_refused_by_its_header(fetch, server, tmp_path):
    header = nibabel.Nifti1Image(np.zeros((1, 1, 1, 1), np.uint8), np.eye(4)).header
    header.set_data_shape((256, 256, 256, 12))
    server.content["/image"] = gzip.compress(header.binaryblock + np.random.default_rng(0).bytes(300_000))
    assert "one of the data set at most 200000000" in failure(fetch, attempts=1)


def test_a_body_in_another_coding_is_refused(fetch, server, tmp_path):
    body = gzip.compress(TABLE)
    server.script = [b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body]
    assert "(Content-Encoding gzip)" in failure(fetch, path="/table", name="confounds.tsv")
    assert server.headers_asked[0]["Accept-Encoding"] == "identity"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", ["endless 1000", "length 5000000"])
def test_a_body_larger_than_the_file_can_be_is_not_read_to_its_end(fetch, server, tmp_path, fault):
    server.script = [fault]
    assert f"the answer is larger than {NAME} can be (1.0 MB)" in failure(fetch)
    assert list(tmp_path.iterdir()) == []


def test_the_body_of_a_redirection_is_not_read(fetch, server):
    server.script = [b"HTTP/1.0 302 Found\r\nLocation: /image\r\nContent-Length: 999999999\r\n\r\n" + bytes(50_000_000)]
    started = time.monotonic()
    assert fetch().read_bytes() == IMAGE
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_byte_now_and_then_does_not_outlive_the_total_time(fetch, server, tmp_path, where):
    server.script = ["crawl 0.05" if where == "head" else "trickle 0.05"]
    started = time.monotonic()
    assert f"{NAME} is not complete after 0 s; run again, or put the file into" in failure(fetch, total_time=0.4)
    assert time.monotonic() - started < 2
    assert list(tmp_path.iterdir()) == []


def test_redirections_are_followed(fetch, server):
    server.script = ["redirect /image"]
    assert fetch("/moved").read_bytes() == IMAGE
    assert server.asked == ["/moved", "/image"]


def test_redirections_in_a_circle_end(fetch, server):
    server.script = ["redirect /moved"] * 30
    assert "the server redirects more than 10 times" in failure(fetch, path="/moved")


@pytest.mark.parametrize("place", ["file:///etc/hostname", "ftp://localhost/image"])
def test_a_redirection_to_another_kind_of_address_is_refused(fetch, server, tmp_path, place):
    server.script = [f"redirect {place}"]
    message = failure(fetch)
    assert "another kind of address, which is not followed" in message
    assert place in message
    assert list(tmp_path.iterdir()) == []


def test_the_way_from_https_to_http_is_refused():
    import requests

    answer = requests.Response()
    answer.status_code, answer.url, answer.headers["Location"] = 302, "https://a.example/x", "HTTP://a.example/x"
    with pytest.raises(requests.exceptions.InvalidSchema):
        _judge_redirection(answer)


HEADER = st.sampled_from(
    ["Content-Length", "Content-Range", "Location", "Retry-After", "Content-Type", "Transfer-Encoding", "Date", "ETag"]
)
VALUE = st.one_of(
    st.binary(max_size=30).map(lambda value: value.replace(b"\n", b"").lstrip(b"/")),
    st.sampled_from([b"\xb2", b"\xd9\xa3", b"-1", b"1_0", b"5, 6", b"9" * 5000, b"1e3", b"nan", b"chunked", b"gzip"]),
    st.sampled_from([b"http://[", b"//", b"http://\xff/", b"http://127.0.0.1:99999/", b"http://a b/", b"http://:x@/"]),
    st.sampled_from([b"\x1b[2J", b"Wed, 99 Foo 99999", b"text/html", b"/\x1b[2J"]),
)
HOSTILE = {}


@pytest.fixture(scope="module", autouse=True)
def hostile_server():
    with serving({}) as files:
        HOSTILE["server"] = files
        yield


@example(b"HTTP/1.1", b"302", b"\x1b]0;owned\x07", [("Location", b"http://[\xff")])
@example(b"HTTP/1.1", b"503", b"\x1b[31mred", [("Retry-After", b"\xb2")])
@example(b"HTTP/1.1", b"200", b"OK", [("Content-Length", b"1_0")])
@example(b"HTTP/1.1", b"200", b"OK", [("Content-Length", b"5, 6")])
@example(b"HTTP/1.1", b"200", b"OK", [("Transfer-Encoding", b"chunked"), ("Content-Length", b"-1")])
@example(b"HTTP/99", b"999", b"", [])
@example(b"\x00", b"abc", b"\xff", [])
@given(
    st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"ICY", b""]),
    st.sampled_from(
        [b"200", b"204", b"206", b"301", b"302", b"308", b"401", b"404", b"416", b"429", b"503", b"-1", b""]
    ),
    st.binary(max_size=20).map(lambda value: value.replace(b"\n", b"")),
    st.lists(st.tuples(HEADER, VALUE), max_size=4),
)
def test_whatever_a_server_says_is_answered_in_one_printable_sentence(version, status, reason, headers):
    lines = [version + b" " + status + b" " + reason, *(name.encode() + b": " + value for name, value in headers)]
    HOSTILE["server"].script = [b"\r\n".join(lines) + b"\r\n\r\n0\r\n\r\nbody"] * 3
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()) as log:
        with pytest.raises(InputError) as caught:
            download(
                HOSTILE["server"].url + "/image",
                Path(folder, NAME),
                LARGEST,
                check_image,
                attempts=2,
                first_pause=0.001,
                timeout=1.0,
                total_time=2.0,
            )
        assert list(Path(folder).iterdir()) == []
    for text in (str(caught.value), *log.getvalue().splitlines()):
        assert not CONTROL_CHARACTERS.search(text)
        assert len(text) < 600


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://localhost/image", "data:text/plain,a", "/etc/hostname"])
def test_only_web_addresses_are_downloaded(tmp_path, url):
    with pytest.raises(InputError, match="only addresses that start with https:// or http://"):
        download(url, tmp_path / "file", LARGEST, check_image)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_named(tmp_path, server):
    with serving({}) as gone:
        pass
    with pytest.raises(InputError, match="there is no connection: Connection refused"):
        download(gone.url + "/image", tmp_path / NAME, LARGEST, check_image, attempts=2, first_pause=0.01)
    assert list(tmp_path.iterdir()) == []


def test_a_certificate_that_does_not_verify_ends_at_once(fetch, monkeypatch):
    # What a handshake with an unknown authority raises; a server of our own would need a key in the repository.
    def refuse(*arguments, **options):
        problem = ssl.SSLCertVerificationError(1, "certificate verify failed")
        problem.verify_message = "self-signed certificate"
        raise problem

    monkeypatch.setattr("urllib3.connection.HTTPConnection.connect", refuse)
    assert "certificate cannot be verified (self-signed certificate)" in failure(fetch)


def test_certificates_are_verified_and_passwords_are_kept(fetch, server, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ann password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert _session().verify is True
    fetch()
    assert "Authorization" not in server.headers_asked[0]


def test_the_same_file_downloaded_again_must_have_the_same_checksum(fetch, server, tmp_path):
    fetch().unlink()
    server.content["/image"] = packed_image(1)
    message = failure(fetch)
    assert "is not the file of the first download" in message
    assert hashlib.sha256(IMAGE).hexdigest() in message
    assert [path.name for path in tmp_path.iterdir()] == [f"{NAME}.sha256"]
    server.content["/image"] = IMAGE
    assert fetch().read_bytes() == IMAGE


def test_an_empty_checksum_as_a_power_cut_leaves_it_is_none(fetch, tmp_path):
    (tmp_path / f"{NAME}.sha256").write_text("")
    fetch()
    assert hashlib.sha256(IMAGE).hexdigest() in (tmp_path / f"{NAME}.sha256").read_text()


def test_a_full_disk_is_a_sentence_and_leaves_nothing(fetch, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    try:
        message = failure(fetch)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"{tmp_path / NAME}: the disk is full" in message
    assert list(tmp_path.iterdir()) == []
    assert fetch().read_bytes() == IMAGE


def test_a_file_larger_than_what_is_free_is_not_begun(fetch, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000}))
    assert "the disk is full" in failure(fetch)
    assert NAME not in os.listdir(tmp_path)


def test_a_folder_that_cannot_be_made_is_a_sentence(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        download(server.url + "/image", tmp_path / "file" / NAME, LARGEST, check_image)


def test_what_a_killed_download_has_left_goes_with_the_next(server, fetch, tmp_path):
    server.script = ["slow 0.1"]  # 1.5 s in all
    code = (
        "from sphereconn.download import download; from sphereconn.study.development_fmri_files import check_image;"
        f"download({server.url + '/image'!r}, {str(tmp_path / NAME)!r}, {LARGEST}, check_image)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(LIBRARY)})
    while process.poll() is None and not any(path.stat().st_size > 50_000 for path in tmp_path.iterdir()):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / NAME).exists()
    assert left(tmp_path) != []
    assert fetch().read_bytes() == IMAGE
    assert left(tmp_path) == []


def test_of_two_downloads_of_one_file_the_first_to_end_counts(server, fetch, tmp_path):
    said = []
    slow = threading.Thread(target=lambda: said.append(failure(fetch)))
    server.script = ["slow 0.02"]
    slow.start()
    while not server.asked:
        time.sleep(0.005)
    assert fetch().read_bytes() == IMAGE
    slow.join()
    assert "another process has downloaded this file meanwhile; run again" in said[0]
    assert (tmp_path / NAME).read_bytes() == IMAGE
    assert left(tmp_path) == []


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
    assert f"{NAME}: the connection was dropped after 0.1 MB of 0.3 MB; next attempt in 0 s" in log
    assert " of 0.3 MB, 2" in log  # percent
    assert " MB/s\n" in log
    assert f"{NAME}: complete, 0.3 MB in " in log
