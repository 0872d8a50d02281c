"""Fixtures of the upload tests, on a site that accepts longer files."""

from tests.speech.uploads.conftest import UPLOAD_SITE
from tests.support.servers.site_fixture import site_fixture

site = site_fixture("package", **UPLOAD_SITE, UPLOAD_MAX_HOURS="0.5")
