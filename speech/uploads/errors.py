"""Why a file is not taken, in words for who sends it."""

from speech.errors import ProtocolError


class UploadError(ProtocolError):
    action = "Choose another file."


class EmptyFile(UploadError):
    what = "The file is empty."
    why = "There is not a single byte in it."
    action = "See whether the recording worked, and choose another file."


class FileTooLarge(UploadError):
    what = "The file is too large."
    action = "Send the sound without the picture, compress it, or cut it into parts."


class TooManyUploads(UploadError):
    what = "Too many of your files are waiting."
    action = "Wait until some of them are transcribed, or cancel some."


class DiskFull(UploadError):
    what = "There is no room for the file."
    why = "The server's disk is nearly full."
    action = "Tell whoever runs this site."


class NoMatchingEngine(UploadError):
    """The engine or the language that was asked for."""

    action = "Choose another one, or none: then one is chosen for you."
