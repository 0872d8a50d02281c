"""A client of the site's pages without JavaScript: it keeps its cookies, and logs in with the form."""

import re
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit


class Visitor:
    def __init__(self, url: str, address: str = "127.0.0.1", **headers: str) -> None:
        """`address`: the one it connects from. `headers`: sent with each request; underscores become hyphens."""
        self._url = urlsplit(url)
        self._source = (address, 0)
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._cookies: SimpleCookie = SimpleCookie()

    def get(self, path: str) -> str:
        """The page."""
        return self._request("GET", path)

    def post(self, path: str, **fields: str) -> str:
        """Submit the form on the page. Returns the page of the response; empty after a redirect."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(path))
        assert token
        return self._request("POST", path, urlencode({**fields, "csrfmiddlewaretoken": token[1]}))

    def log_in(self, email: str, password: str) -> str:
        return self.post("/accounts/login/", login=email, password=password)

    def _request(self, method: str, path: str, body: str | None = None) -> str:
        connection = HTTPConnection(self._url.hostname or "", self._url.port, source_address=self._source, timeout=60)
        cookies = "; ".join(f"{name}={cookie.value}" for name, cookie in self._cookies.items())
        form = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        connection.request(method, path, body, {**self._headers, **form, "Cookie": cookies})
        response = connection.getresponse()
        for header in response.headers.get_all("Set-Cookie", []):
            self._cookies.load(header)
        text = response.read().decode()
        connection.close()
        return text
