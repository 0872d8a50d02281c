from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from accounts import metrics  # noqa: F401  (connects its signal handler)
        from accounts.credentials import token_cache  # noqa: F401  (connects its signal handlers)
