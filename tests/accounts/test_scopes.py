"""Scopes of tokens, and what declares which it needs."""

import pytest

from accounts.scopes import ADMIN, ANY_SCOPE, BROWSER_ONLY, LABELS, STT, UnknownScope, check_declared, scopes_of


@pytest.mark.parametrize("requirement", [*LABELS, ANY_SCOPE])
def test_what_accepts_tokens_declares_a_scope_or_any(requirement):
    check_declared(requirement, "a view")


@pytest.mark.parametrize("requirement", [BROWSER_ONLY, "everything", None])
def test_what_accepts_tokens_without_declaring_a_scope_cannot_be_routed(requirement):
    with pytest.raises(UnknownScope, match="a view accepts tokens but declares no scope"):
        check_declared(requirement, "a view")


def test_scopes_are_separated_by_spaces_or_commas():
    assert scopes_of("stt, admin") == {STT, ADMIN}
    with pytest.raises(UnknownScope, match="“a”"):
        scopes_of("b a stt")
