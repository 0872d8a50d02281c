import os
import warnings

from django.core.asgi import get_asgi_application

# WhiteNoise serves small files, and Django reads them in a thread.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsm_site.settings")
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import re_path  # noqa: E402

from dsm_site.api_errors import NotFoundSocket  # noqa: E402
from dsm_site.proxy_headers import ProxyHeadersMiddleware  # noqa: E402
from speech.dialects.routing import websocket_urlpatterns  # noqa: E402

websocket_routes = [*websocket_urlpatterns, re_path("", NotFoundSocket.as_asgi())]

application = ProxyHeadersMiddleware(
    ProtocolTypeRouter(
        {
            "http": django_application,
            "websocket": URLRouter(websocket_routes),
        }
    ),
    settings.TRUSTED_PROXIES,
)
