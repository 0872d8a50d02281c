"""API tokens of a site under test."""

from tests.support.servers.site import Site


def issue_token(site: Site, *arguments: str, email: str = "speaker@example.org") -> str:
    """An API token of an approved user, created if needed; `arguments` are those of `manage.py issue_token`."""
    return site.shell(
        "from django.core.management import call_command\n"
        "from accounts.models import User\n"
        f"User.objects.filter(email={email!r}).exists() or User.objects.create_superuser({email!r})\n"
        f"call_command('issue_token', {email!r}, *{arguments!r})"
    )
