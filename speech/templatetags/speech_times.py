from django import template

from inference.messages import SAMPLE_RATE
from speech.text.timecode import clock

register = template.Library()
register.filter("clock", clock)


@register.filter
def spoken_at(seconds: float) -> str:
    """For a machine: the `datetime` of a <time> that is a duration, as ISO 8601 writes it."""
    return f"PT{seconds:.2f}S"


@register.filter
def spoken_for(samples: int) -> str:
    return f"{samples / SAMPLE_RATE:.1f} s"
