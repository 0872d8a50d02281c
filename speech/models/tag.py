"""Tags by which an owner sorts sessions."""

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from accounts.models import User

TAG_LENGTH = 40  # characters
MAX_TAGS = 20  # set at once


class Tag(models.Model):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=TAG_LENGTH)

    class Meta:
        ordering = (Lower("name"),)
        constraints = (models.UniqueConstraint("owner", Lower("name"), name="one_tag_per_name"),)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def get_or_create_named(cls, owner: User, names: Iterable[str]) -> list["Tag"]:
        """Return the owner's tags with these names, creating missing ones; case is ignored."""
        unique = {name.casefold(): name for name in (" ".join(name.split())[:TAG_LENGTH] for name in names) if name}
        tags = {tag.name.casefold(): tag for tag in cls.objects.filter(owner=owner)}
        return [tags.get(key) or cls.objects.create(owner=owner, name=name) for key, name in unique.items()]

    @classmethod
    def named(cls, owner: User, name: str) -> list["Tag"]:
        """The owner's tags with this name. Compared here, because SQLite ignores the case of ASCII letters only."""
        return [tag for tag in cls.objects.filter(owner=owner) if tag.name.casefold() == name.casefold()]
