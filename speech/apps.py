from django.apps import AppConfig


class SpeechConfig(AppConfig):
    name = "speech"
    verbose_name = "Speech"

    def ready(self) -> None:
        from speech import deletions, rejections  # noqa: F401  (connect their signal handlers)
