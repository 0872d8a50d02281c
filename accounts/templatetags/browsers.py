"""What a browser calls itself, as people call it."""

import re

from django import template

register = template.Library()

# The first that fits: nearly all claim to be Safari, and most of them Chrome.
BROWSERS = [("Edge", r"Edg\w*/(\d+)"), ("Opera", r"OPR/(\d+)"), ("Firefox", r"(?:Firefox|FxiOS)/(\d+)")]
BROWSERS += [("Chrome", r"(?:Chrome|CriOS)/(\d+)"), ("Safari", r"Version/(\d+).*Safari")]
SYSTEMS = [("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")]
SYSTEMS += [("macOS", "Mac OS X"), ("ChromeOS", "CrOS"), ("Linux", "Linux")]


@register.filter
def as_browser(user_agent: str) -> str:
    """“Firefox 140 on Linux”; of what nobody knows the beginning of what it says."""
    found = ((name, re.search(pattern, user_agent)) for name, pattern in BROWSERS)
    browser = next((f"{name} {match[1]}" for name, match in found if match), user_agent[:60] or "Unknown")
    system = next((name for name, sign in SYSTEMS if sign in user_agent), "")
    return f"{browser} on {system}" if system else browser
