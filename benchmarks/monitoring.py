"""The alerts and the dashboard on a real Prometheus, over a site that is made to suffer:

    python -m benchmarks.monitoring [--streams 20] [--pictures FOLDER]

It needs `prometheus` (apt-get install prometheus) and Chromium. Two web and two inference processes are spoken to by so
many streams; every query of deploy/monitoring/grafana.json is asked of Prometheus; then what each alert is for is done
to the site. Times are shortened, so that it is over in two minutes: an alert's `for` to 3 s, its windows to 30 s.
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

from benchmarks.support.processes import free_port, wait_for_port
from benchmarks.support.speaker import Speaker
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
OF_A_GPU = "system_"
SPEAKS_FOR = 120
"""Seconds."""
SLOTS = 24
"""Of both inference processes."""
FIRES_WITHIN = 90.0


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

    def ask(self, query: str) -> list[Any]:
        """The series that a query gives."""
        found: list[Any] = self._get("query", query=query)["result"]
        return found

    def firing(self) -> dict[str, str]:
        """The alerts that fire, each with what it says."""
        alerts = [alert for alert in self._get("alerts")["alerts"] if alert["state"] == "firing"]
        return {alert["labels"]["alertname"]: alert["annotations"]["summary"] for alert in alerts}

    def wait_for(self, name: str) -> str:
        """What the alert says, as soon as it fires."""
        deadline = time.monotonic() + FIRES_WITHIN
        while name not in (firing := self.firing()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} does not fire; {', '.join(firing) or 'nothing'} does")
            time.sleep(0.5)
        return firing[name]

    def _get(self, what: str, **query: str) -> Any:
        url = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]


@contextmanager
def watched_site() -> Iterator[tuple[Site, Prometheus]]:
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


async def speak(site: Site, streams: int, during: Any) -> None:
    """`during` runs in a thread while so many streams are spoken."""
    urls, unused = cycle(site.urls), iter(tickets(site, 50 * streams))

    def url() -> str:
        return f"{next(urls).replace('http', 'ws')}/ws/live/?ticket={next(unused)}"

    speakers = [Speaker(url, site.url, noise(round(SPEAKS_FOR * 12.5), seed)) for seed in range(streams)]
    tasks = [asyncio.create_task(speaker.run()) for speaker in speakers]
    try:
        await asyncio.to_thread(during)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _speak_to_the_end(site: Site) -> None:
    (ticket,) = tickets(site)
    url = f"{site.url.replace('http', 'ws')}/ws/live/?ticket={ticket}"
    asyncio.run(Speaker(lambda: url, site.url, noise(25)).run())


def ask_dashboard(prometheus: Prometheus) -> None:
    """Every query of every panel has an answer, but those about a GPU that is not there."""
    for panel in json.loads((MONITORING / "grafana.json").read_text())["panels"]:
        for target in panel.get("targets", []):
            series = prometheus.ask(target["expr"].replace("[5m]", "[30s]"))
            values = ", ".join(f"{float(each['value'][1]):.3g}" for each in series[:4])
            print(f"  {panel['title'][:48]:48} {len(series)} series  {values}")
            assert series or OF_A_GPU in target["expr"], target["expr"]


def suffer(site: Site, prometheus: Prometheus) -> None:
    """What some alerts are for, one after another; alerts-test.yaml has all of them."""
    for _ in range(130):
        _be_refused(site)
    _tell("SpeechRefusals", prometheus)
    _tell("SpeechFull", prometheus)
    for child in site.inference:
        child.process.kill()
    _tell("SpeechDown", prometheus)
    _tell("SpeechNoSlots", prometheus)


def _be_refused(site: Site) -> None:
    request = urllib.request.Request(f"{site.url}/v1/models", headers={"Authorization": "Bearer wrong"})
    with suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=5).close()


def _tell(alert: str, prometheus: Prometheus) -> None:
    print(f"  {alert:20} {prometheus.wait_for(alert)}", flush=True)


class Camera:
    """Takes pictures, where a folder for them was given."""

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
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    with watched_site() as (site, prometheus):
        camera = Camera(site, options.pictures)

        _speak_to_the_end(site)

        def watch() -> None:
            time.sleep(20)
            print(f"The dashboard, with {options.streams} streams")
            ask_dashboard(prometheus)
            camera.take("operations", f"{site.url}/operations/")

        asyncio.run(speak(site, options.streams, watch))
        print("Alerts")
        asyncio.run(speak(site, SLOTS + 4, lambda: suffer(site, prometheus)))
        camera.take("alerts", f"{prometheus.url}/classic/alerts")
        camera.take("operations-in-trouble", f"{site.url}/operations/")


if __name__ == "__main__":
    main()
