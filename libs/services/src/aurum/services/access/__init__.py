"""Tenants, API keys, links and plans. Each change and its audit record commit in one transaction."""

from aurum.services.access.callers import caller_of_key
from aurum.services.access.keys import GrantsTooMuch, IssuedKey, NewKey, create_key, give_owner, revoke_key, rotate_key
from aurum.services.access.links import IssuedLink, NewLink, create_link, revoke_link, signing_secret
from aurum.services.access.tenants import change_tenant, create_tenant, put_plan

__all__ = [
    "GrantsTooMuch",
    "IssuedKey",
    "IssuedLink",
    "NewKey",
    "NewLink",
    "caller_of_key",
    "change_tenant",
    "create_key",
    "create_link",
    "create_tenant",
    "give_owner",
    "put_plan",
    "revoke_key",
    "revoke_link",
    "rotate_key",
    "signing_secret",
]
