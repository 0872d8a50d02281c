"""Alerts and dashboard on a real Prometheus, with a site that has faults:

    python -m benchmarks.monitoring [--streams 20] [--screenshots FOLDER]

It needs `prometheus` (apt-get install prometheus) and Chromium. The streams go to two web and two inference processes.
Runs every query of deploy/monitoring/grafana.json, then provokes several alerts. Times are shortened, so that it takes
two minutes: an alert's `for` to 3 s, its windows to 30 s.
"""

import argparse
import asyncio
import json
import re
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import sync_playwright

from benchmarks.support.client import Client
from benchmarks.support.processes import free_port, wait_for_port
from tests.support.clients.sockets import tickets
from tests.support.clients.uploads import LOG_IN
from tests.support.environment import ROOT
from tests.support.servers import programs
from tests.support.servers.child import Child
from tests.support.servers.postgres import Postgres
from tests.support.servers.redis import Redis
from tests.support.servers.site import Site, running_site
from tests.support.speech.checksum_audio import noise

MONITORING = ROOT / "deploy/monitoring"
GPU_METRIC_PREFIX = "system_"
STREAM_DURATION = 120
"""Seconds."""
SLOTS = 24
"""Slots of both inference processes together."""
ALERT_TIMEOUT = 90.0


class Prometheus:
    def __init__(self, folder: Path, web: list[str], inference: list[str]) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        settings = yaml.safe_load((MONITORING / "prometheus.yaml").read_text())
        settings["global"] = {"evaluation_interval": "1s"}
        for job, targets in zip(settings["scrape_configs"], (web, inference), strict=True):
            job |= {"scrape_interval": "1s", "static_configs": [{"targets": targets}]}
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(settings))
        rules = (MONITORING / "alerts.yaml").read_text()
        (folder / "alerts.yaml").write_text(re.sub(r"for: \d+m", "for: 3s", re.sub(r"\[\d+m\]", "[30s]", rules)))
        self._child = Child(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address={self.url.removeprefix('http://')}",
            ],
            folder / "prometheus.log",
        )
        wait_for_port(int(self.url.rpartition(":")[2]))

    def stop(self) -> None:
        self._child.stop()

    def query(self, expression: str) -> list[Any]:
        """The series that match."""
        series: list[Any] = self._get("query", query=expression)["result"]
        return series

    def firing(self) -> dict[str, str]:
        """Firing alerts: summary by name."""
        alerts = [alert for alert in self._get("alerts")["alerts"] if alert["state"] == "firing"]
        return {alert["labels"]["alertname"]: alert["annotations"]["summary"] for alert in alerts}

    def wait_for(self, name: str) -> str:
        """The summary of the alert, as soon as it fires."""
        deadline = time.monotonic() + ALERT_TIMEOUT
        while name not in (firing := self.firing()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} does not fire; firing: {', '.join(firing) or 'none'}")
            time.sleep(0.5)
        return firing[name]

    def _get(self, endpoint: str, **query: str) -> Any:
        url = f"{self.url}/api/v1/{endpoint}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as response:
            return json.load(response)["data"]


@contextmanager
def monitored_site() -> Iterator[tuple[Site, Prometheus]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="monitoring-")))
        redis, postgres = Redis(folder), Postgres()
        stack.callback(postgres.stop)
        stack.callback(redis.stop)
        (folder / "site").mkdir()
        metrics = [str(free_port()), str(free_port())]
        env = {
            "REDIS_URL": redis.url,
            "DATABASE_URL": postgres.new_database(),
            "STT_ENGINE": "checksum",
            "TTS_ENGINE": "",
            "STT_SLOTS": str(SLOTS // 2),
            "STREAMS_PER_USER": "100",
            "METRICS_PORT": metrics[0],
        }
        site = stack.enter_context(running_site(folder / "site", 1, **env))
        site.env["METRICS_PORT"] = metrics[1]
        site.add_inference()
        site.add_web()
        site.wait_until_ready()
        web = [url.removeprefix("http://") for url in site.urls]
        prometheus = Prometheus(folder, web, [f"127.0.0.1:{port}" for port in metrics])
        stack.callback(prometheus.stop)
        yield site, prometheus


async def stream_during(site: Site, streams: int, action: Any) -> None:
    """Run `action` in a thread while `streams` streams are live."""
    urls, unused = cycle(site.urls), iter(tickets(site, 50 * streams))

    def url() -> str:
        return f"{next(urls).replace('http', 'ws')}/ws/live/?ticket={next(unused)}"

    clients = [Client(url, site.url, noise(round(STREAM_DURATION * 12.5), seed)) for seed in range(streams)]
    tasks = [asyncio.create_task(client.run()) for client in clients]
    try:
        await asyncio.to_thread(action)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _complete_one_stream(site: Site) -> None:
    (ticket,) = tickets(site)
    url = f"{site.url.replace('http', 'ws')}/ws/live/?ticket={ticket}"
    asyncio.run(Client(lambda: url, site.url, noise(25)).run())


def check_dashboard(prometheus: Prometheus) -> None:
    """Check that every query of every panel returns series, except those about a GPU."""
    for panel in json.loads((MONITORING / "grafana.json").read_text())["panels"]:
        for target in panel.get("targets", []):
            series = prometheus.query(target["expr"].replace("[5m]", "[30s]"))
            values = ", ".join(f"{float(each['value'][1]):.3g}" for each in series[:4])
            print(f"  {panel['title'][:48]:48} {len(series)} series  {values}")
            assert series or GPU_METRIC_PREFIX in target["expr"], target["expr"]


def provoke_alerts(site: Site, prometheus: Prometheus) -> None:
    """Provoke some alerts one after another; alerts-test.yaml covers all of them."""
    for _ in range(130):
        _send_invalid_token(site)
    _print_alert("SpeechRefusals", prometheus)
    _print_alert("SpeechFull", prometheus)
    for child in site.inference:
        child.process.kill()
    _print_alert("SpeechDown", prometheus)
    _print_alert("SpeechNoSlots", prometheus)


def _send_invalid_token(site: Site) -> None:
    request = urllib.request.Request(f"{site.url}/v1/models", headers={"Authorization": "Bearer wrong"})
    with suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=5).close()


def _print_alert(alert: str, prometheus: Prometheus) -> None:
    print(f"  {alert:20} {prometheus.wait_for(alert)}", flush=True)


class Screenshots:
    """Takes screenshots if there is a folder for them."""

    def __init__(self, site: Site, folder: Path | None) -> None:
        self._site = site
        self._folder = folder

    def take(self, name: str, url: str) -> None:
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=programs.chromium())
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.context.add_cookies([{"name": "sessionid", "value": self._session(), "url": self._site.url}])
            page.goto(url, wait_until="networkidle" if "alerts" in url else "load")
            page.wait_for_timeout(1500)
            page.screenshot(path=self._folder / f"{name}.png", full_page=True)
            browser.close()

    def _session(self) -> str:
        return self._site.shell(LOG_IN.format(email="speaker@example.org"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=20, help="number of streams")
    parser.add_argument("--screenshots", type=Path, help="folder for screenshots")
    options = parser.parse_args()
    with monitored_site() as (site, prometheus):
        screenshots = Screenshots(site, options.screenshots)

        _complete_one_stream(site)

        def check() -> None:
            time.sleep(20)
            print(f"The dashboard, with {options.streams} streams")
            check_dashboard(prometheus)
            screenshots.take("operations", f"{site.url}/operations/")

        asyncio.run(stream_during(site, options.streams, check))
        print("Alerts")
        asyncio.run(stream_during(site, SLOTS + 4, lambda: provoke_alerts(site, prometheus)))
        screenshots.take("alerts", f"{prometheus.url}/classic/alerts")
        screenshots.take("operations-with-alerts", f"{site.url}/operations/")


if __name__ == "__main__":
    main()
