"""Signatures of webhooks."""

from __future__ import annotations

import pytest

from aurum.core.alerts.signature import InvalidSecret, headers, secret_bytes, secret_text, sign


def test_the_signature_is_that_of_the_published_example() -> None:
    # The example of the libraries of Standard Webhooks.
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_read_as_it_was_written() -> None:
    assert secret_bytes(secret_text(bytes(range(32)))) == bytes(range(32))


def test_another_text_is_not_a_secret() -> None:
    with pytest.raises(InvalidSecret):
        secret_bytes("whsec_not base64!")


def test_while_a_secret_is_replaced_both_sign() -> None:
    old, new = secret_text(b"o" * 32), secret_text(b"n" * 32)

    signed = headers([new, old], "delivery", 1, b"{}")

    assert signed["webhook-signature"].split() == [sign(new, "delivery", 1, b"{}"), sign(old, "delivery", 1, b"{}")]
