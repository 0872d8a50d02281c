from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def without_placeholder(field: BoundField) -> SafeString:
    """Render a field without its placeholder: allauth repeats the label there, which looks like a filled-in value."""
    return field.as_widget(attrs={"placeholder": False})


@register.filter
def sentence_case(label: str) -> str:
    """“New Password (again)” as “New password (again)”: allauth's labels are in title case, the site's are not."""
    first, *others = str(label).split(" ")
    return " ".join([first, *(word.lower() if word.istitle() else word for word in others)])
