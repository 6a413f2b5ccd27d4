"""A headless Chromium without network, driven through its DevTools protocol over two pipes.

The protocol needs nothing beside Chromium itself: messages are JSON, each ended by a zero byte; Chromium reads them
from file descriptor 3 and answers on 4. See https://chromedevtools.github.io/devtools-protocol/.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",  # containers and continuous integration run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
KEYS = {
    "Enter": "\r",
    "Escape": "",
    "Tab": "",
    "Home": "",
    "ArrowLeft": "",
    "ArrowRight": "",
    "ArrowUp": "",
    "ArrowDown": "",
}
KEY_CODES = {
    "Enter": 13,
    "Escape": 27,
    "Tab": 9,
    "Home": 36,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
}


def find_chromium() -> str | None:
    """Return the path of Chromium or Chrome, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class BrowserError(AssertionError):
    """Chromium refused a command, went away or did not answer, or the page threw."""


class Browser:
    """One Chromium with one tab; ``flags`` come after the usual ones."""

    def __init__(self, executable: str, *flags: str) -> None:
        self._folder = tempfile.mkdtemp(prefix="browser-")
        self._process, self._commands, self._answers = _spawn(executable, self._folder, flags)
        self._unread = b""
        self._number = 0
        self._session: str | None = None
        self._loaded = False
        self.requests: list[str] = []
        self.problems: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])

    def close(self) -> None:
        """End Chromium and remove its profile."""
        try:
            self.call("Browser.close")
        except BrowserError:
            os.kill(self._process, 9)
        os.waitpid(self._process, 0)
        os.close(self._commands)
        os.close(self._answers)
        shutil.rmtree(self._folder, ignore_errors=True)

    # The protocol.

    def call(self, method: str, *, within: float = 30, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come in between are noted."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive(within)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._note(answer)

    def _receive(self, within: float = 30) -> dict[str, Any]:
        while b"\0" not in self._unread:
            if not select.select([self._answers], [], [], within)[0]:
                raise BrowserError("Chromium does not answer")
            chunk = os.read(self._answers, 1 << 20)
            if not chunk:
                raise BrowserError("Chromium has ended")
            self._unread += chunk
        message, self._unread = self._unread.split(b"\0", 1)
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        name, content = event.get("method"), event.get("params", {})
        if name == "Page.loadEventFired":
            self._loaded = True
        elif name == "Network.requestWillBeSent":
            self.requests.append(content["request"]["url"])
        elif name == "Runtime.exceptionThrown":
            self.problems.append(str(content["exceptionDetails"]))
        elif name == "Log.entryAdded":
            self.problems.append(content["entry"]["text"])
        elif name == "Runtime.consoleAPICalled":
            self.problems.append(str(content["args"]))

    # A person in front of the page.

    def open(self, url: str, width: int = 1280, height: int = 800) -> None:
        """Open a page in a window of this size and wait until it is loaded; requests and problems start empty."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call(
            "Page.navigate", url="about:blank"
        )  # else a page that differs in its fragment only would not be loaded
        self.evaluate("0")
        self.requests.clear()
        self.problems.clear()
        self._loaded = False
        self.call("Page.navigate", url=url)
        while not self._loaded:
            self._note(self._receive())

    def evaluate(self, expression: str, within: float = 30) -> Any:
        """Return the value of a JavaScript expression, of its promise once that is kept."""
        answer = self.call(
            "Runtime.evaluate", within=within, expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def wait_until(self, condition: str, timeout: float = 15) -> None:
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + timeout
        while not self.evaluate(condition):
            if time.monotonic() > end:
                raise BrowserError(f"still not true: {condition}")
            time.sleep(0.02)

    def next_frame(self) -> None:
        """Wait until what was changed has been drawn."""
        self.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def text(self, selector: str) -> str:
        """Return the text of an element as it is shown."""
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText.trim()")

    def middle(self, selector: str) -> tuple[float, float]:
        """Return the middle of an element, scrolled into sight."""
        x, y = self.evaluate(
            f"""(() => {{
                const element = document.querySelector({json.dumps(selector)});
                element.scrollIntoView({{block: 'nearest'}});
                const box = element.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        return x, y

    def move(self, x: float, y: float, **more: Any) -> None:
        """Move the pointer to a place of the window."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, **more)
        self.next_frame()

    def click(self, x: float, y: float) -> None:
        """Click at a place of the window."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self.next_frame()

    def click_on(self, selector: str) -> None:
        """Click in the middle of an element."""
        self.click(*self.middle(selector))

    def drag(self, x: float, y: float, dx: float, dy: float) -> None:
        """Press at a place, move and let go."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left", clickCount=1)
        for part in (0.5, 1):
            place = {"x": x + part * dx, "y": y + part * dy}
            self.call("Input.dispatchMouseEvent", type="mouseMoved", button="left", buttons=1, **place)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=x + dx, y=y + dy, button="left", clickCount=1)
        self.next_frame()

    def wheel(self, x: float, y: float, by: float) -> None:
        """Turn the wheel; away from the person is negative."""
        self.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=by)
        self.next_frame()

    def focus(self, selector: str) -> None:
        """Give an element the keyboard."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")

    def press(self, *keys: str) -> None:
        """Press keys one after the other: single characters or names such as ArrowLeft."""
        for key in keys:
            text = KEYS.get(key, key)
            down = {"type": "keyDown" if text else "rawKeyDown", "key": key, "text": text}
            code = {"windowsVirtualKeyCode": KEY_CODES[key]} if key in KEY_CODES else {}
            self.call("Input.dispatchKeyEvent", **down, **code)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key, **code)
        self.next_frame()

    def enter(self, selector: str, text: str) -> None:
        """Replace what stands in a field by typing."""
        self.focus(selector)
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=text)
        self.next_frame()

    def choose(self, selector: str, value: str) -> None:
        """Choose an option of a drop-down list by its value."""
        changed = self.evaluate(
            f"""(() => {{
                const list = document.querySelector({json.dumps(selector)});
                list.value = {json.dumps(value)};
                list.dispatchEvent(new Event('change', {{bubbles: true}}));
                return list.value;
            }})()"""
        )
        assert changed == value, f"{selector} has no option {value!r}"
        self.next_frame()

    def screenshot(self, path: Path) -> None:
        """Write what is seen as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def keep_downloads_in(self, folder: Path) -> None:
        """Save files that the page offers into a folder."""
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))


def _spawn(executable: str, folder: str, flags: tuple[str, ...]) -> tuple[int, int, int]:
    """Start Chromium; return its process, where to write commands and where to read answers."""
    # High numbers first, so that neither end is in the way of the other when they become 3 and 4.
    commands, answers = os.pipe(), os.pipe()
    read_commands = fcntl.fcntl(commands[0], fcntl.F_DUPFD_CLOEXEC, 10)
    write_answers = fcntl.fcntl(answers[1], fcntl.F_DUPFD_CLOEXEC, 10)
    process = os.posix_spawn(
        executable,
        [executable, *FLAGS, *flags, f"--user-data-dir={folder}", "about:blank"],
        {**os.environ, "HOME": folder},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, read_commands, 3),
            (os.POSIX_SPAWN_DUP2, write_answers, 4),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ],
    )
    for descriptor in (commands[0], answers[1], read_commands, write_answers):
        os.close(descriptor)
    return process, commands[1], answers[0]
