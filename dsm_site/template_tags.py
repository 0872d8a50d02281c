"""What every template may say of the site, those too that a broken request is answered with."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def site_name() -> str:
    name: str = settings.SITE_NAME
    return name
