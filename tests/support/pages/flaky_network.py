"""A TCP proxy between a browser and the site that can be interrupted, like a mobile network without coverage."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

CHUNK = 65_536


class FlakyNetwork:
    """While it is down no data arrives, but connections stay open and data in transit is delivered later."""

    def __init__(self, site_url: str) -> None:
        self._site = ("127.0.0.1", urlsplit(site_url).port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._is_up = threading.Event()
        self._is_up.set()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def go_down(self) -> None:
        self._is_up.clear()

    def come_up(self) -> None:
        self._is_up.set()

    def close(self) -> None:
        self.come_up()
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                browser, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(browser,), daemon=True).start()

    def _connect(self, browser: socket.socket) -> None:
        self._is_up.wait()
        try:
            site = socket.create_connection(self._site)
        except OSError:
            return browser.close()
        self._sockets += [browser, site]
        threading.Thread(target=self._forward, args=(site, browser), daemon=True).start()
        return self._forward(browser, site)

    def _forward(self, sender: socket.socket, receiver: socket.socket) -> None:
        with suppress(OSError):
            while data := sender.recv(CHUNK):
                self._is_up.wait()
                receiver.sendall(data)
        with suppress(OSError):
            receiver.shutdown(socket.SHUT_WR)
