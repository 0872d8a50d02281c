"""Failed logins for a user's account, from other addresses and from many."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.support.attack.results import Table
from benchmarks.support.attack.sites import default_site
from tests.support.clients.visitor import Visitor
from tests.support.servers.nginx import Nginx
from tests.support.servers.site import Site

EMAIL, PASSWORD = "ada@example.org", "correct horse battery"
OWN, ATTACKERS = "127.0.0.1", [f"127.0.1.{number}" for number in range(1, 21)]
"""Addresses of the user and of the attackers."""
ATTEMPTS = 12
ACCOUNTS = 30
BY_ACCOUNT, BY_CLIENT = 5, 10
"""Wrong passwords after which a client gets an error: for one account, and for any."""
REFUSED = "Too many failed login attempts"


def run() -> Iterator[Table]:
    table = Table("failed logins", "attack", "proxy", "attempts", "answered", "user logs in elsewhere", "and there")
    for proxy in ("none", "nginx"):
        for name, attack, most in ATTACKS:
            with ExitStack() as stack:
                site = stack.enter_context(
                    default_site(**({"TRUSTED_PROXIES": "127.0.0.1"} if proxy == "nginx" else {}))
                )
                _sign_up(site)
                url = _behind_nginx(stack, site) if proxy == "nginx" else site.url
                attempts, answered, last = attack(url)
                elsewhere, there = (_can_log_in(url, address) for address in (OWN, last))
                table.add(name, proxy, attempts, answered, *("yes" if each else "no" for each in (elsewhere, there)))
                table.promise(elsewhere, f"no user is locked out by another address: {name}, proxy: {proxy}")
                found = f"{name}, proxy: {proxy}: {answered} passwords were compared"
                table.promise(answered <= most, f"at most {most} attempts: {found}")
    table.notes.append("“answered”: attempts whose password was compared; “there”: from the last attacker's address")
    yield table


def _one_address(url: str) -> tuple[int, int, str]:
    """Attempts, those whose password was compared, and the last address."""
    return _try(url, [(ATTACKERS[0], EMAIL)] * ATTEMPTS)


def _forged_headers(url: str) -> tuple[int, int, str]:
    return _try(url, [(ATTACKERS[0], EMAIL)] * ATTEMPTS, is_forging=True)


def _many_addresses(url: str) -> tuple[int, int, str]:
    return _try(url, [(address, EMAIL) for address in ATTACKERS for _ in range(ATTEMPTS // 2)])


def _many_accounts(url: str) -> tuple[int, int, str]:
    return _try(url, [(ATTACKERS[0], f"user{number}@example.org") for number in range(ACCOUNTS)])


ATTACKS: list[tuple[str, Callable[[str], tuple[int, int, str]], int]] = [
    ("one address", _one_address, BY_ACCOUNT),
    ("one address, a forged one each time", _forged_headers, BY_ACCOUNT),
    (f"{len(ATTACKERS)} addresses", _many_addresses, BY_ACCOUNT * len(ATTACKERS)),
    (f"one address, {ACCOUNTS} accounts", _many_accounts, BY_CLIENT),
]
"""With the most passwords that may be compared."""


def _try(url: str, attempts: list[tuple[str, str]], is_forging: bool = False) -> tuple[int, int, str]:
    answered = 0
    for number, (address, email) in enumerate(attempts):
        forged = f"203.0.113.{number}"
        headers = {"X_Forwarded_For": forged, "X_Real_IP": forged, "Forwarded": f"for={forged}"} if is_forging else {}
        answered += REFUSED not in Visitor(url, address, **headers).log_in(email, f"wrong {number}")
    return len(attempts), answered, attempts[-1][0]


def _can_log_in(url: str, address: str) -> bool:
    return Visitor(url, address).log_in(EMAIL, PASSWORD) == ""


def _sign_up(site: Site) -> None:
    site.shell(f"from accounts.models import User; User.objects.create_superuser({EMAIL!r}, {PASSWORD!r})")


def _behind_nginx(stack: ExitStack, site: Site) -> str:
    nginx = Nginx(Path(stack.enter_context(tempfile.TemporaryDirectory())), site.url)
    stack.callback(nginx.stop)
    return nginx.url
