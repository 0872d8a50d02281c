"""Personas: instructions for the language model that a user has saved under a name."""

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.models import User
from speech.models.conversation import INSTRUCTIONS_LENGTH

PERSONA_NAME_LENGTH = 60  # characters
MAX_PERSONAS = 50  # per user


class TooManyPersonas(Exception):
    """The user has the maximum number of personas."""


class PersonaExists(Exception):
    """The user has a persona with this name; case is ignored."""


class Persona(models.Model):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="personas")
    name = models.CharField(max_length=PERSONA_NAME_LENGTH)
    instructions = models.TextField(max_length=INSTRUCTIONS_LENGTH)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = (Lower("name"),)
        constraints = (models.UniqueConstraint("owner", Lower("name"), name="one_persona_per_name"),)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def create(cls, owner: User, name: str, instructions: str) -> "Persona":
        """Raises `PersonaExists` and `TooManyPersonas`."""
        persona = cls(owner=owner)
        with transaction.atomic():
            User.objects.select_for_update(no_key=True).get(pk=owner.pk)  # count concurrent creations one by one
            if cls.objects.filter(owner=owner).count() >= MAX_PERSONAS:
                raise TooManyPersonas
            persona.change(name, instructions)
        return persona

    def change(self, name: str | None = None, instructions: str | None = None) -> None:
        """Set and save what is given. Raises `PersonaExists`."""
        self.name = self.name if name is None else name
        self.instructions = self.instructions if instructions is None else instructions
        try:
            with transaction.atomic():
                self.save()
        except IntegrityError:
            raise PersonaExists from None
