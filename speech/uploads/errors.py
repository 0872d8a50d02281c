"""Errors of uploads that the server rejects, as users read them."""

from speech.errors import ProtocolError


class UploadError(ProtocolError):
    action = "Choose another file."


class EmptyFile(UploadError):
    what = "The file is empty."
    why = "It contains no data."
    action = "Check the recording, then choose another file."


class FileTooLarge(UploadError):
    what = "The file is too large."
    action = "Upload only the audio, compress it, or split it into parts."


class TooManyUploads(UploadError):
    what = "You have too many pending uploads."
    action = "Wait until some are transcribed, or cancel some."


class DiskFull(UploadError):
    what = "Not enough space for the file."
    why = "The server's disk is nearly full, or reserved for files that are being uploaded."
    action = "Try again later. If the problem persists, contact your administrator."


class MissingHash(UploadError):
    what = "The last part has no valid SHA-256."
    why = "An upload with a fingerprint may be resumed, and is verified as a whole."
    action = "Send the file's SHA-256, in hexadecimal, as “sha256” with the last part."


class ContentMismatch(UploadError):
    """The parts of the upload are not of one file."""

    what = "The file changed during its upload."
    why = "What arrived is not the whole file that its sender has: it was edited, or parts are of a similar file."
    action = "Upload it again."


class NoMatchingEngine(UploadError):
    """The requested engine or language does not exist."""

    action = "Choose another one, or leave it empty to let the server choose."
