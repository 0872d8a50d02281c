"""Fixtures of the upload tests, on a site that accepts longer files."""

from tests.support.servers.site_fixture import site_fixture

site = site_fixture("package", STT_ENGINE="checksum", STT_SLOTS="4", UPLOAD_MAX_MB="100", UPLOAD_MAX_HOURS="0.5")
