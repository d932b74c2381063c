"""Tenants, API keys and plans. Each change and its audit record commit in one transaction."""

from aurum.services.access.keys import GrantsTooMuch, IssuedKey, NewKey, create_key, revoke_key, rotate_key
from aurum.services.access.tenants import change_tenant, create_tenant, put_plan

__all__ = [
    "GrantsTooMuch",
    "IssuedKey",
    "NewKey",
    "change_tenant",
    "create_key",
    "create_tenant",
    "put_plan",
    "revoke_key",
    "rotate_key",
]
