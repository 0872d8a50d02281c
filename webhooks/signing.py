"""Signatures of Standard Webhooks (standardwebhooks.com), which libraries in a dozen languages can verify."""

import base64
import hmac
import json
import time
from hashlib import sha256

from webhooks.models import SECRET_PREFIX, Delivery


def signed_headers(delivery: Delivery) -> tuple[dict[str, str], bytes]:
    """The headers and body of an attempt. The timestamp is that of the attempt, which prevents replay attacks."""
    body = json.dumps(delivery.payload, ensure_ascii=False).encode()
    sent_at = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "speech-webhooks/1",
        "webhook-id": str(delivery.id),
        "webhook-timestamp": sent_at,
        "webhook-signature": f"v1,{_signature(delivery.webhook.secret, f'{delivery.id}.{sent_at}.'.encode() + body)}",
    }
    return headers, body


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return base64.b64encode(hmac.new(key, content, sha256).digest()).decode()
