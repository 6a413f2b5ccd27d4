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

    ``script`` says, request by request, what goes wrong (see ``Handler.answer``), or what bytes are sent; after its end
    nothing goes wrong. ``asked`` records the path of each request.
    """

    content: dict[str, bytes]
    script: list[str | bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
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
                files.asked.append(self.path)
                files.headers_asked.append(dict(self.headers))
                fault = files.script.pop(0) if files.script else ""
                at_once[0] += 1
                files.most_at_once = max(files.most_at_once, at_once[0])
            try:
                time.sleep(files.delay)
                if isinstance(fault, bytes):
                    self.wfile.write(fault)
                else:
                    self.answer(*fault.partition(" ")[::2])
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
            elif fault == "crawl":
                for byte in b"HTTP/1.0 200 OK\r\nX: " + 200 * b"x":
                    self.wfile.write(bytes([byte]))
                    time.sleep(float(value))
            elif fault == "vanish":
                pass  # closes without a word
            elif self.path not in files.content:
                self.send_error(404)
            else:
                self.send_file(files.content[self.path], fault, value)

        def send_file(self, content, fault, value):
            self.send_response(200)
            length = len(content) + int(value) if fault == "length" else len(content)
            if fault not in ("unsized", "endless"):
                self.send_header("Content-Length", str(length))
            self.send_header("Content-Type", "text/html" if fault == "page" else "application/octet-stream")
            self.end_headers()
            if fault == "drop":
                content = content[: int(value)]
            elif fault == "corrupt":
                content = content[: int(value)] + bytes([content[int(value)] ^ 255]) + content[int(value) + 1 :]
            elif fault == "slow":
                for place in range(0, len(content), 20_000):
                    self.wfile.write(content[place : place + 20_000])
                    time.sleep(float(value))
                return
            elif fault == "trickle":
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    time.sleep(float(value))
                return
            elif fault == "endless":
                for _ in range(int(value)):
                    self.wfile.write(bytes(1_000_000))
                return
            self.wfile.write(content)

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
