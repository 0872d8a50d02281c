from django.apps import AppConfig


class SpeechConfig(AppConfig):
    name = "speech"
    verbose_name = "Speech"

    def ready(self) -> None:
        from speech.gateway import revocation  # noqa: F401  (connects its signal handlers)
        from speech.library import receivers as library_receivers  # noqa: F401  (connects its signal handlers)
