from django import template

from inference.messages import SAMPLE_RATE
from speech.text.timecode import clock

register = template.Library()
register.filter("clock", clock)


@register.filter
def spoken_at(seconds: float) -> str:
    """ISO 8601 duration for the `datetime` attribute of <time>."""
    return f"PT{seconds:.2f}S"


@register.filter
def spoken_for(samples: int) -> str:
    return f"{samples / SAMPLE_RATE:.1f} s"
