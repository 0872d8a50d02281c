"""Which voice a speaking job gets, and what may be chosen about how it speaks."""

from collections.abc import Mapping
from typing import NamedTuple

from inference.messages import Status, Voice
from speech.errors import InvalidControl, NoEngine, VoiceNotFound


class SelectedVoice(NamedTuple):
    engine: Status
    voice: Voice


def select_voice(
    engines: Mapping[str, Status],
    *,
    engine: str = "",
    voice: str = "",
    language: str = "",
    controls: Mapping[str, float],
) -> SelectedVoice:
    """The first voice of those that fit. What is empty may be any; `engines` are those of `Link.speakers`.

    Raises `NoEngine`, `NoVoice` or `UnfitControl`.
    """
    if not engines:
        raise NoEngine("No engine that speaks is running.", "It may be starting, or TTS_ENGINE names none.")
    speakers = [SelectedVoice(status, each) for status in engines.values() for each in status.voices or []]
    chosen = next((speaker for speaker in speakers if _fits(speaker, engine, voice, language)), None)
    if chosen is None:
        raise _not_found(list(engines), engine, voice, language)
    _check(chosen.engine, controls)
    return chosen


def _fits(speaker: SelectedVoice, engine: str, voice: str, language: str) -> bool:
    spoken = speaker.voice.language.lower()
    return (
        engine in ("", speaker.engine.engine)
        and voice in ("", speaker.voice.name)
        and (not language or spoken == language.lower() or spoken.startswith(f"{language.lower()}-"))
    )


def _not_found(there: list[str], engine: str, voice: str, language: str) -> VoiceNotFound:
    if engine and engine not in there:
        return VoiceNotFound(f"There is no engine “{engine}” that speaks.", f"Running are: {', '.join(there)}.")
    if voice:
        of = f" of {engine}" if engine else ""
        speaking = f" that speaks “{language}”" if language else ""
        return VoiceNotFound(f"There is no voice “{voice}”{of}{speaking}.")
    return VoiceNotFound(f"No voice speaks the language “{language}”.", f"Running are: {', '.join(there)}.")


def _check(engine: Status, controls: Mapping[str, float]) -> None:
    offered = {control.name: control for control in engine.controls}
    for name, value in controls.items():
        if name not in offered:
            has = ", ".join(offered) or "nothing of the kind"
            raise InvalidControl(f"{engine.label} has no control “{name}”.", f"It has {has}.")
        control = offered[name]
        if not control.minimum <= value <= control.maximum:  # nor is it a number that is none
            raise InvalidControl(
                f"{control.label} {value:g} is out of range.",
                f"{engine.label} takes {control.minimum:g} to {control.maximum:g}.",
            )
