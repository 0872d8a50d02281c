import pytest

from speech.models import Persona, persona
from speech.models.persona import PersonaExists, TooManyPersonas
from tests.support.speech.sessions import create_user


def test_names_are_unique_per_owner_and_case_is_ignored(owner):
    Persona.create(owner, "Pirate", "Talk like a pirate.")
    with pytest.raises(PersonaExists):
        Persona.create(owner, "PIRATE", "Talk like a pirate, loudly.")
    Persona.create(create_user("grace@example.org"), "Pirate", "Talk like a pirate.")
    assert Persona.objects.count() == 2


def test_the_number_of_personas_is_limited(owner, monkeypatch):
    monkeypatch.setattr(persona, "MAX_PERSONAS", 1)
    Persona.create(owner, "Pirate", "Talk like a pirate.")
    with pytest.raises(TooManyPersonas):
        Persona.create(owner, "Poet", "Rhyme.")


def test_personas_are_deleted_with_their_owner(owner):
    Persona.create(owner, "Pirate", "Talk like a pirate.")
    owner.delete()
    assert not Persona.objects.exists()
