"""The rule of two persons: who submits a set does not approve it."""

from __future__ import annotations

from aurum.core.access import LOCAL, is_same_person
from aurum.core.errors import Conflict, Forbidden
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curve_sets import TakenStep

_HOW = (
    "name the owner of a key with PUT /v2/admin/keys/{key_id}/owner or `aurum keys owner KEY_ID NAME`, or make a key for a "
    "person with `owner` in POST /v2/admin/keys or `aurum keys create --owner NAME`"
)


class PersonUnknown(Forbidden):
    """An approval by a credential behind which may be anyone. Facts: ``subject``."""


class SamePerson(Forbidden):
    """An approval by the person who submitted. Facts: ``person``."""


class SubmitterUnknown(Conflict):
    """An approval of a set that a credential submitted behind which may be anyone. Facts: ``subject``."""


def check_two_persons(submitted: TakenStep, by: Actor) -> str:
    """Return the person who approves, known and another than who submitted.

    Callers of an open service who send no credential, ``LOCAL``, are not a known person: one person can be both such a caller
    and the owner of a key. Raises ``PersonUnknown``, ``SubmitterUnknown``, ``SamePerson``.
    """
    if not _is_known(by.person):
        why = f"an approval needs a known person, and {_unknown(by.subject, by.person)}: {_next_step(by.person)}"
        raise PersonUnknown(why, subject=by.subject)
    if not _is_known(submitted.person):
        why = (
            f"the set was submitted by {submitted.by}, and {_unknown(submitted.by, submitted.person)}: reopen it and submit it "
            f"with the key of a person; {_HOW}"
        )
        raise SubmitterUnknown(why, subject=submitted.by)
    assert by.person is not None
    assert submitted.person is not None
    if is_same_person(submitted.person, by.person):
        why = f"{submitted.person} submitted this set, and another person approves it"
        raise SamePerson(why, person=submitted.person)
    return by.person


def _is_known(person: str | None) -> bool:
    return person is not None and person != LOCAL.person


def _unknown(subject: str, person: str | None) -> str:
    if person == LOCAL.person:
        return "a caller who sends no key or token to an open service may be anyone"
    return f"{subject} names no person"


def _next_step(person: str | None) -> str:
    return f"send the key or token of a person; {_HOW}" if person == LOCAL.person else _HOW
