"""A web server on this machine that misbehaves as it is told."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Files:
    """What a server gives, by path, and how it behaves.

    ``script`` says, request by request, what goes wrong (see ``Handler.do_GET``); after its end nothing does. ``asked``
    records the path and the Range of each request.
    """

    content: dict[str, bytes]
    script: list[str] = field(default_factory=list)
    etag: str | None = '"first"'
    ranges: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    headers_asked: list[dict[str, str]] = field(default_factory=list)
    most_at_once: int = 0
    delay: float = 0.0
    url: str = ""


@contextmanager
def serving(content: dict[str, bytes], **behaviour) -> Iterator[Files]:
    """Serve some files from a thread; ``url`` says where."""
    files = Files(content, **behaviour)
    lock, at_once = threading.Lock(), [0]

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_GET(self):
            with lock:
                files.asked.append((self.path, self.headers.get("Range")))
                files.headers_asked.append(dict(self.headers))
                fault, _, value = files.script.pop(0).partition(" ") if files.script else ("", "", "")
                at_once[0] += 1
                files.most_at_once = max(files.most_at_once, at_once[0])
            try:
                time.sleep(files.delay)
                self.answer(fault, value)
            except OSError:
                pass  # the client has gone
            finally:
                with lock:
                    at_once[0] -= 1

        def answer(self, fault, value):
            if fault == "status":
                code, _, retry_after = value.partition(" ")
                self.send_response(int(code))
                if retry_after:
                    self.send_header("Retry-After", retry_after)
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif fault == "redirect":
                self.send_response(302)
                self.send_header("Location", value)
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif fault == "hang":
                time.sleep(float(value))
            elif fault == "vanish":
                pass  # closes without a word
            elif self.path not in files.content:
                self.send_error(404)
            else:
                self.send_file(files.content[self.path], fault, value)

        def send_file(self, content, fault, value):
            start, wanted = 0, self.headers.get("Range")
            valid = files.etag is None or self.headers.get("If-Range", files.etag) == files.etag
            if wanted and files.ranges and valid:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(206)
                first = start + int(value) if fault == "shift" else start
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            body = content[start:]
            length = len(body) + int(value) if fault == "length" else len(body)
            if fault != "unsized":
                self.send_header("Content-Length", str(length))
            if files.etag:
                self.send_header("ETag", files.etag)
            self.send_header("Content-Type", "text/html" if fault == "page" else "application/octet-stream")
            self.end_headers()
            if fault == "drop":
                body = body[: int(value)]
            elif fault == "corrupt":
                body = body[: int(value)] + bytes([body[int(value)] ^ 255]) + body[int(value) + 1 :]
            elif fault == "slow":
                for place in range(0, len(body), 20_000):
                    self.wfile.write(body[place : place + 20_000])
                    time.sleep(float(value))
                return
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    files.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()
