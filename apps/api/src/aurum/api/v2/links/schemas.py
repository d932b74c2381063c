"""Documents of ``/v2/links``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from aurum.api.contract.schemas import PageMeta
from aurum.core.links import LONGEST_S
from aurum.storage.ports.links import Link

Read = Annotated[str, StringConstraints(min_length=1, max_length=15_000, pattern=r"^[^\x00-\x20\x7f]*$")]
"""A path with its query, without blanks and control characters."""

_READ = "/v2/observations?series=nyiso:damlbmp_zone:61761:lmp&start=2025-11-02&format=parquet"


class LinkDocument(BaseModel):
    """A link without its signature, which is stored nowhere."""

    link_id: str = Field(examples=["5e884898da28047151d0e56f8dc62927"])
    query: str = Field(description="Path and query of the read that the link answers.", examples=[_READ])
    scopes: list[str] = Field(description="Read scopes that its maker had. A scope that the maker's key loses is lost to it.")
    created_at: datetime
    expires_at: datetime = Field(description="Time from which the link is refused.")
    revoked_at: datetime | None = Field(description="Time of the revocation; null: it is not revoked.")

    @classmethod
    def from_domain(cls, link: Link) -> LinkDocument:
        return cls(
            link_id=link.link_id,
            query=link.read,
            scopes=list(link.scopes),
            created_at=link.created_at,
            expires_at=link.expires_at,
            revoked_at=link.revoked_at,
        )


class LinkPage(BaseModel):
    data: list[LinkDocument]
    meta: PageMeta


class LinkAnswer(BaseModel):
    data: LinkDocument


class NewLink(BaseModel):
    """A link to be created."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"query": _READ, "expires_in": 3600}]})

    query: Read = Field(
        description="The read, as path and query: a GET under `/v2` that answers with data. The link answers exactly this."
    )
    expires_in: int = Field(
        default=3600,
        strict=True,
        ge=1,
        le=LONGEST_S,
        description="Seconds until the link expires, a day at most. Default: 3600.",
    )


class NewLinkDocument(LinkDocument):
    """A link with its address, which is shown only once."""

    path: str = Field(description="The signed address, without scheme and host.")
    url: str = Field(
        description="The signed address with the scheme and host of this request. Behind a proxy that ends TLS, put the public "
        "ones before `path`."
    )


class NewLinkAnswer(BaseModel):
    data: NewLinkDocument
