from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def without_placeholder(field: BoundField) -> SafeString:
    """allauth's fields repeat their label inside the box, where it looks like something already typed."""
    return field.as_widget(attrs={"placeholder": False})
