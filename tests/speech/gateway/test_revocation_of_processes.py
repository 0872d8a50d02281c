"""Revocations by another process, in the default set-up: SQLite, no Redis, so no notice reaches the site."""

import asyncio
from contextlib import AsyncExitStack

import pytest
import websockets

from tests.support.clients.kyutai import asr_streaming
from tests.support.clients.sockets import live_socket, tickets


def create_token(site, email):
    """The text of an API token of a new account, which is approved and no administrator."""
    return site.shell(
        "from accounts.models import Token, User\n"
        "from accounts.scopes import scopes_of\n"
        f"user = User.objects.create_user({email!r}, status='approved')\n"
        "print(Token.create(user, Token.Kind.API, 'a program', scopes_of('stt'), None)[1])"
    )


CHANGES = {
    "rejected": ("call_command('reject', {!r}, reason='left the team')", 4003, "rejected"),
    "deactivated": ("User.objects.filter(email={!r}).update(is_active=False)", 4003, "deactivated"),
    "deleted": ("User.objects.get(email={!r}).delete()", 4003, "deleted"),
    "revoked": ("Token.objects.get(user__email={!r}).revoke()", 4001, "revoked"),
    "a new password": (
        "user = User.objects.get(email={!r}); user.set_password('x' * 20); user.save()",
        4001,
        "password",
    ),
}
"""What is done in a shell, and the close code and a word of the message that it causes."""
IMPORTS = "from django.core.management import call_command\nfrom accounts.models import Token, User\n"


async def test_changes_by_another_process_end_open_streams(checksum_site):
    emails = {name: f"{name.replace(' ', '-')}@example.org" for name in CHANGES}
    async with AsyncExitStack() as stack:
        programs = {}
        for name, email in emails.items():
            programs[name] = await stack.enter_async_context(
                asr_streaming(checksum_site, create_token(checksum_site, email))
            )
            await programs[name].until("Ready")
        page = await stack.enter_async_context(
            live_socket(checksum_site, *tickets(checksum_site, email=emails["rejected"]))
        )
        await page.start()
        checksum_site.shell(IMPORTS + "\n".join(CHANGES[name][0].format(email) for name, email in emails.items()))
        for name, (_, code, word) in CHANGES.items():
            assert await programs[name].closed() == code, name
            assert word in programs[name].received[-1]["message"]
        code, error = await page.closed()
        assert (code, error["what"], error["why"]) == (4003, "Your account was rejected.", "left the team")


@pytest.mark.slow
async def test_no_stream_survives_that_opens_during_a_rejection(start_site, redis_server):
    """Two web processes share Redis, and a third process rejects all accounts while they connect."""
    site = start_site(1, STT_ENGINE="checksum", STT_SLOTS="120", REDIS_URL=redis_server.url)
    await asyncio.to_thread(site.add_web)
    surviving = 0
    for n in range(5):
        names = [f"user-{n}-{m}@example.org" for m in range(50)]
        tokens = [create_token(site, email) for email in names]
        opening = [asyncio.create_task(opened(url, token)) for token in tokens for url in site.urls]
        reject = f"from accounts.models import User\nUser.objects.filter(email__startswith='user-{n}-').reject(None)"
        await asyncio.to_thread(site.shell, reject)
        surviving += sum(await asyncio.gather(*opening))
    assert surviving == 0


async def opened(url, token):
    """Whether a stream stays open for five seconds after all accounts were rejected."""
    address, headers = f"{url.replace('http', 'ws')}/api/asr-streaming", {"kyutai-api-key": token}
    try:
        async with websockets.connect(address, additional_headers=headers) as socket:
            async with asyncio.timeout(5):
                await socket.wait_closed()
            return False
    except TimeoutError:
        return True
    except websockets.WebSocketException:
        return False
