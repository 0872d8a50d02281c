"""Why a file is not taken, in words for who sends it."""

from speech.errors import ProtocolError


class Refusal(ProtocolError):
    todo = "Choose another file."


class Empty(Refusal):
    what = "The file is empty."
    why = "There is not a single byte in it."
    todo = "See whether the recording worked, and choose another file."


class TooLarge(Refusal):
    what = "The file is too large."
    todo = "Send the sound without the picture, compress it, or cut it into parts."


class TooMany(Refusal):
    what = "Too many of your files are waiting."
    todo = "Wait until some of them are transcribed, or cancel some."


class NoRoom(Refusal):
    what = "There is no room for the file."
    why = "The server's disk is nearly full."
    todo = "Tell whoever runs this site."


class NobodyHas(Refusal):
    """The engine or the language that was asked for."""

    todo = "Choose another one, or none: then one is chosen for you."
