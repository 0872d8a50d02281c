"""Selection of the voice of a synthesis job, and validation of its controls."""

from collections.abc import Mapping
from typing import NamedTuple

from inference.messages import Status, Voice
from speech.errors import InvalidControl, NoEngine, VoiceNotFound
from speech.synthesis.options import SynthesisOptions
from speech.text.languages import asks_for_detection, tags_of


class SelectedVoice(NamedTuple):
    engine: Status
    voice: Voice


def select_voice(engines: Mapping[str, Status], options: SynthesisOptions) -> SelectedVoice:
    """The first matching voice. `engines`: from `WorkerRegistry.tts_engines`.

    Raises `NoEngine`, `VoiceNotFound` or `InvalidControl`.
    """
    if not engines:
        raise NoEngine("No text-to-speech engine is running.", "It may be starting, or TTS_ENGINE is empty.")
    candidates = [SelectedVoice(status, each) for status in engines.values() for each in status.voices or []]
    selected = next((each for each in candidates if _matches(each, options)), None)
    if selected is None:
        raise _not_found(list(engines), options)
    _check_controls(selected.engine, options.controls)
    return selected


def _matches(candidate: SelectedVoice, options: SynthesisOptions) -> bool:
    language = "" if asks_for_detection(options.language) else tags_of(options.language)[0]
    voice_language = candidate.voice.language.lower()
    return (
        options.engine in ("", candidate.engine.engine)
        and options.voice in ("", candidate.voice.name)
        and (not language or voice_language == language or voice_language.startswith(f"{language}-"))
    )


def _not_found(available: list[str], options: SynthesisOptions) -> VoiceNotFound:
    engine, voice, language = options.engine, options.voice, options.language
    why = f"Available engines: {', '.join(available)}."
    if engine and engine not in available:
        return VoiceNotFound(f"Text-to-speech engine “{engine}” not found.", why)
    if voice:
        of_engine = f" of {engine}" if engine else ""
        with_language = f" with language “{language}”" if language else ""
        return VoiceNotFound(f"Voice “{voice}”{of_engine}{with_language} not found.")
    return VoiceNotFound(f"No voice supports the language “{language}”.", why)


def _check_controls(engine: Status, controls: Mapping[str, float]) -> None:
    supported = {control.name: control for control in engine.controls}
    for name, value in controls.items():
        if name not in supported:
            names = ", ".join(supported) or "none"
            raise InvalidControl(f"{engine.label} doesn't support “{name}”.", f"Supported: {names}.")
        control = supported[name]
        if not control.minimum <= value <= control.maximum:  # also rejects NaN
            raise InvalidControl(
                f"{control.label} {value:g} is out of range.",
                f"Allowed range: {control.minimum:g} to {control.maximum:g}.",
            )
