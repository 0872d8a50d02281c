from speech.dialogue.personas import PERSONAS
from speech.models.conversation import INSTRUCTIONS_LENGTH
from speech.models.persona import PERSONA_NAME_LENGTH


def test_built_in_personas_can_be_saved_as_ones_own():
    assert len({persona.name for persona in PERSONAS}) == len(PERSONAS)
    for persona in PERSONAS:
        assert len(persona.name) <= PERSONA_NAME_LENGTH
        assert len(persona.instructions) <= INSTRUCTIONS_LENGTH


def test_built_in_personas_are_written_for_speech():
    for persona in PERSONAS:
        assert "read aloud" in persona.instructions
        assert "without Markdown" in persona.instructions
        assert "speech recognition" in persona.instructions
