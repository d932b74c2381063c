"""Documents of providers and their series."""

from __future__ import annotations

from pydantic import BaseModel, Field

from aurum.api.contract.schemas import PageMeta, SeriesDocument


class ProviderDocument(BaseModel):
    """An agency or a data provider."""

    name: str = Field(examples=["ecb"])
    title: str
    homepage: str
    terms: str = Field(description="Terms of use; may be empty.")
    datasets: list[str] = Field(description="Names of its datasets; see `/v2/catalog/datasets`.")
    series: int = Field(description="Number of its series.")


class ProviderPage(BaseModel):
    """A page of providers, ascending by name."""

    data: list[ProviderDocument]
    meta: PageMeta


class ProviderSeriesPage(BaseModel):
    """A page of series of providers, ascending by key."""

    data: list[SeriesDocument]
    meta: PageMeta
