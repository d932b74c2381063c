"""Roles, scopes and the persons behind credentials."""

from __future__ import annotations

import pytest

from aurum.core.access import (
    EVERY_PERMISSION,
    LOCAL,
    ROLES,
    Permission,
    Role,
    granted,
    is_same_person,
    known_roles,
    parse_role,
    person_of_key,
    person_of_token,
)


def test_each_role_includes_the_one_before_it_save_that_an_administrator_approves_nothing() -> None:
    for lower, higher in zip(list(Role), list(Role)[1:], strict=False):
        missing = ROLES[lower] - ROLES[higher]
        assert missing == ({Permission.CURVES_APPROVE} if higher is Role.ADMIN else frozenset()), higher


def test_an_approver_is_a_trader_who_approves() -> None:
    assert list(Role) == ["user", "analyst", "trader", "approver", "admin", "super_admin"]
    assert ROLES[Role.APPROVER] - ROLES[Role.TRADER] == {Permission.CURVES_APPROVE}
    assert ROLES[Role.ADMIN] - ROLES[Role.TRADER] == {
        Permission.ADMIN_READ,
        Permission.ADMIN_FLAGS,
        Permission.ADMIN_LIMITS,
    }
    assert ROLES[Role.SUPER_ADMIN] == EVERY_PERMISSION == LOCAL.scopes
    assert parse_role("approver") is Role.APPROVER
    assert known_roles(["approver", "approve", "APPROVER"]) == (Role.APPROVER,)
    assert granted(["admin"], ["curves:approve"]) == ROLES[Role.ADMIN] | {Permission.CURVES_APPROVE}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("owner:Anna Smith", "owner:Anna Smith", True),
        ("owner:Anna Smith", "owner:  anna   SMITH ", True),
        ("owner:\uff21nna", "owner:Anna", True),
        ("user:anna", "owner:Anna", True),
        ("user:anna", "user:bert", False),
        ("owner:Anna", "owner:Anna S", False),
        ("local", "local", True),
        ("local", "owner:Anna", False),
        ("key:1", "key:2", False),
        ("owner:a:b", "owner:b", False),
    ],
)
def test_two_spellings_of_a_name_are_one_person(one: str, other: str, *, same: bool) -> None:
    assert is_same_person(one, other) is same
    assert is_same_person(other, one) is same


def test_a_key_without_an_owner_names_no_person() -> None:
    assert person_of_key(None) is None
    assert person_of_key("Anna") == "owner:Anna"
    assert person_of_token("anna") == "user:anna"
