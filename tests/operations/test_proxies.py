"""The site behind the proxies whose configuration it ships: clients are distinguished, and can forge nothing."""

import re

import pytest
import yaml

from dsm_site.proxy_headers import TrustedProxies
from tests.support.clients.visitor import Visitor
from tests.support.environment import ROOT
from tests.support.servers.nginx import Nginx

TOO_MANY = "Too many failed login attempts"


def test_the_real_site_counts_clients_of_a_trusted_proxy_separately(checksum_site):
    client = Visitor(checksum_site.url, X_Forwarded_For="192.0.2.1")
    for _ in range(20):
        client.post("/accounts/signup/")
    same, other = (Visitor(checksum_site.url, X_Forwarded_For=f"6.6.6.6, 192.0.2.{n}") for n in (1, 2))
    assert "Too many attempts" in same.post("/accounts/signup/")
    assert "Too many attempts" not in other.post("/accounts/signup/")


def test_no_header_changes_the_links_of_the_real_site(checksum_site):
    headers = {
        "Daphne_Root_Path": "http://evil.example",
        "X_Forwarded_Host": "evil.example",
        "Forwarded": "host=evil.example",
        "X_Forwarded_Prefix": "http://evil.example",
    }
    assert "evil" not in Visitor(checksum_site.url, **headers).get("/accounts/password/reset/")


@pytest.mark.slow
def test_behind_the_shipped_nginx_clients_are_counted_separately(start_site, tmp_path):
    site = start_site(STT_ENGINE="checksum", TRUSTED_PROXIES="127.0.0.1")
    site.shell("from accounts.models import User; User.objects.create_superuser('ada@example.com', 'correct horse')")
    folder = tmp_path / "nginx"
    folder.mkdir()
    nginx = Nginx(folder, site.url)
    try:
        for number in range(10):
            Visitor(nginx.url, "127.0.0.2").log_in(f"user{number}@example.com", "wrong")
        attacker = Visitor(nginx.url, "127.0.0.2", X_Forwarded_For="127.0.0.3", X_Real_IP="127.0.0.3")
        assert TOO_MANY in attacker.log_in("ada@example.com", "correct horse")
        ada = Visitor(nginx.url, "127.0.0.1")
        assert ada.log_in("ada@example.com", "correct horse") == ""
        assert "127.0.0.1" in ada.get("/accounts/sessions/")
    finally:
        nginx.stop()


def test_nginx_replaces_the_headers_that_the_site_believes():
    text = (ROOT / "deploy/nginx.conf").read_text()
    sent = dict(re.findall(r"proxy_set_header (X-\S+) (.+);", text))
    assert sent == {"X-Forwarded-For": "$remote_addr", "X-Forwarded-Proto": "$scheme"}


def test_caddy_trusts_no_proxy_of_its_own():
    """Otherwise it would pass on the headers of clients. It replaces them by default, and no line changes that."""
    text = (ROOT / "deploy/Caddyfile").read_text()
    assert not re.search(r"^\s*(trusted_proxies|header_up)", text, re.MULTILINE)


def test_shipped_deployments_trust_their_proxy():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["web"]["environment"]["TRUSTED_PROXIES"]
    default = re.fullmatch(r"\$\{TRUSTED_PROXIES:-(.+)\}", compose)[1]
    assert "172.18.0.3" in TrustedProxies(default.split(","))
    manifests = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/settings.yaml").read_text()))
    assert "10.244.0.7" in TrustedProxies(manifests[0]["data"]["TRUSTED_PROXIES"].split(","))
