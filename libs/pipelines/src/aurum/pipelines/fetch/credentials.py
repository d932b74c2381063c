"""Keys and tokens of publishers, from the settings. Only the transport adds them to requests; texts are searched for them."""

from __future__ import annotations

import html
import re

from aurum.common.settings import FetchSettings
from aurum.pipelines.fetch.errors import MissingCredential
from aurum.pipelines.public_files import Credential

_VALID = re.compile(r"[!-~]+")
_HIDDEN = "***"
_SHORTEST = 8
"""A shorter text is none of these keys, and may be a word of a file."""


class Keys:
    """The keys and tokens of a process, by the name of their credential."""

    def __init__(self, settings: FetchSettings) -> None:
        named = {
            "pjm": settings.pjm_key,
            "entsoe": settings.entsoe_token,
            "eia": settings.eia_key,
            "fred": settings.fred_key,
        }
        held = {name: key for name, key in named.items() if key is not None} | settings.keys
        self._keys = {name: text for name, key in held.items() if (text := key.get_secret_value().strip())}
        proxy = settings.proxy.get_secret_value() if settings.proxy is not None else ""
        texts = {text for text in (*self._keys.values(), proxy) if len(text) >= _SHORTEST}
        # The longest first, since one may begin another.
        pattern = "|".join(_spellings(text) for text in sorted(texts, key=len, reverse=True))
        self._texts = re.compile(pattern) if pattern else None
        self._contents = re.compile(pattern.encode()) if pattern else None

    def has(self, credential: Credential) -> bool:
        """Return whether the credential is set."""
        return credential.name in self._keys

    def key(self, credential: Credential) -> str:
        """Return the key or token. Raises ``MissingCredential``, which never shows its value."""
        key = self._keys.get(credential.name, "")
        if not key:
            raise MissingCredential(
                f"{credential.setting} is not set: request a key at {credential.where} and set it", setting=credential.setting
            )
        if not _VALID.fullmatch(key) or len(key) < _SHORTEST:
            raise MissingCredential(
                f"{credential.setting} is not a key of {_SHORTEST} or more letters, digits and signs without spaces",
                setting=credential.setting,
            )
        return key

    def hide(self, text: str) -> str:
        """Return a text with ``***`` in place of every key and token."""
        return self._texts.sub(_HIDDEN, text) if self._texts is not None else text

    def hide_in(self, content: bytes) -> bytes:
        """Return the content of a file with ``***`` in place of every key and token, which some publishers repeat."""
        return self._contents.sub(_HIDDEN.encode(), content) if self._contents is not None else content


def _spellings(text: str) -> str:
    """Return the pattern of a text as it may stand in an address, in JSON, or in XML, where signs are encoded or escaped."""
    return "".join(character if character.isalnum() else _signs(character) for character in text)


def _signs(character: str) -> str:
    code = f"{ord(character):02x}"
    forms = {character, f"%{code}", f"%{code.upper()}", f"\\u00{code}", f"\\u00{code.upper()}", f"\\{character}"}
    forms |= {html.escape(character), f"&#{ord(character)};"}
    return f"(?:{'|'.join(re.escape(form) for form in sorted(forms, key=len, reverse=True))})"
