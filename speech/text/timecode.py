"""Times as pages and subtitle formats write them."""


def clock(seconds: float) -> str:
    """Time as m:ss, or h:mm:ss from one hour."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def timestamp(seconds: float, point: str = ".") -> str:
    """Time as hh:mm:ss.mmm."""
    whole, milli = divmod(milliseconds(seconds), 1000)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02}:{minute:02}:{second:02}{point}{milli:03}"
