"""Settings of a site in which every job, stream and download fails with an unexpected error (`faults.py`)."""

from dsm_site.settings import *  # noqa: F403
from dsm_site.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.support.servers.faults.Faults"]
