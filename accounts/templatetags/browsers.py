"""Readable browser names."""

import re

from django import template

register = template.Library()

# The first match wins: nearly all browsers claim to be Safari, and most of those Chrome.
BROWSERS = [("Edge", r"Edg\w*/(\d+)"), ("Opera", r"OPR/(\d+)"), ("Firefox", r"(?:Firefox|FxiOS)/(\d+)")]
BROWSERS += [("Chrome", r"(?:Chrome|CriOS)/(\d+)"), ("Safari", r"Version/(\d+).*Safari")]
SYSTEMS = [("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")]
SYSTEMS += [("macOS", "Mac OS X"), ("ChromeOS", "CrOS"), ("Linux", "Linux")]


@register.filter
def as_browser(user_agent: str) -> str:
    """“Firefox 140 on Linux”, or the first 60 characters of an unknown User-Agent."""
    matches = ((name, re.search(pattern, user_agent)) for name, pattern in BROWSERS)
    browser = next((f"{name} {match[1]}" for name, match in matches if match), user_agent[:60] or "Unknown")
    system = next((name for name, pattern in SYSTEMS if pattern in user_agent), "")
    return f"{browser} on {system}" if system else browser
