#!/usr/bin/env python
import atexit
import gc
import os
import sys

PRIVATE = 0o077
"""Umask: only the account that runs the site can read its files."""

if __name__ == "__main__":
    os.umask(PRIVATE)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsm_site.settings")
    atexit.register(gc.freeze)  # otherwise Python scans all imported objects twice before the process exits
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except Exception as error:
        from inference.loading.preset_files import InvalidPreset  # not before: the import takes a while

        if isinstance(error, InvalidPreset):  # raised when a command is imported
            sys.exit(str(error))
        raise
