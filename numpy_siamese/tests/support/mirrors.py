"""A server on this machine, for downloads."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Server(http.server.ThreadingHTTPServer):
    """Serves `files` by path, and keeps the paths it was asked for.

    A file that is an int is answered with that status; one in `cut` loses its second half.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes | int] = {}
        self.cut: set[str] = set()
        self.requests: list[str] = []

    def mirror(self, name: str, files) -> str:
        """Add a folder of files and return its address."""
        self.files |= {f"/{name}/{file}": content for file, content in files.items()}
        return f"http://127.0.0.1:{self.server_port}/{name}/"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        self.server.requests.append(self.path)
        content = self.server.files.get(self.path, 404)
        if isinstance(content, int):
            self.send_error(content)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        end = len(content) // 2 if self.path in self.server.cut else len(content)
        self.wfile.write(content[:end])

    def log_message(self, *args):
        pass


@contextmanager
def running() -> Iterator[Server]:
    """Serve as long as the context lasts."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
