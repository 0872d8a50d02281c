"""A real nginx with the configuration that the site ships, in front of a site under test."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.environment import ROOT
from tests.support.servers import programs
from tests.support.servers.child import Child
from tests.support.servers.ports import free_port

OPTIONS = "daemon off; master_process off; error_log stderr; pid nginx.pid;"
HTTP = """
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include site.conf;
}
"""


class Nginx(Child):
    def __init__(self, folder: Path, site_url: str) -> None:
        """`folder`: an empty one."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        (folder / "site.conf").write_text(_shipped(urlsplit(site_url).netloc, port))
        (folder / "nginx.conf").write_text(HTTP)
        command = [programs.nginx(), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", OPTIONS]
        super().__init__(command, folder / "nginx.log")
        self.wait_until((folder / "nginx.pid").exists)


def _shipped(site: str, port: int) -> str:
    """deploy/nginx.conf for one web process at `site`, and another port."""
    text = (ROOT / "deploy/nginx.conf").read_text()
    text = re.sub(r"(upstream speech \{).*?\}", rf"\1 server {site}; }}", text, flags=re.DOTALL)
    return text.replace("listen 80;", f"listen 127.0.0.1:{port};")
