"""``/v2/products``: reference data of what is traded. A tenant has products of its own beside the shared ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.curves import params
from aurum.api.curves.access import own_response, reading_of, written
from aurum.api.curves.documents import ProductDocument
from aurum.api.curves.ownership import stored_owner, written_owner
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.products import schemas
from aurum.core.access import Permission
from aurum.core.errors import Conflict, Forbidden, NotFound, Unavailable
from aurum.services.curves import curve_of
from aurum.services.curves.products import add_product, change_product, remove_product
from aurum.storage.ports.curves import ProductFilter, StoredProduct

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    # Shared products need admin:write as well.
    writes=Policy(Permission.CURVES_WRITE),
    prefix="/v2/products",
    tags=["products"],
    dependencies=[Depends(known_only)],
)

_WRITTEN = problems(NotFound, Conflict, Forbidden, Unavailable)


@router.get("", operation_id="listProducts", summary="List products", response_model=schemas.ProductsPage, responses=problems())
async def list_products(
    request: Request,
    response: Response,
    commodity: Annotated[Text | None, Query(description="Only products of this commodity.", examples=["power"])] = None,
    venue: Annotated[Text | None, Query(description="Only products of this exchange or broker.", examples=["EEX"])] = None,
    text: Annotated[Text | None, Query(description="Words that key or title must have.", examples=["german"])] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.ProductsPage | Response:
    """List shared products and those of the caller's tenant, ascending by key, with or without quotes."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    reading = reading_of(request)
    criteria = ProductFilter(commodity, None, None, venue, text)
    after = page.after[0] if page.after else None
    products = await reading.curves.products(criteria, tenant=reading.tenant, after=after, limit=page.limit + 1)
    meta = page_meta(request, response, page, products, lambda one: (str(one.product.key),))
    versions = [(one.curve_id, one.version) for one in products]
    if (unchanged := own_response(request, response, versions)) is not None:
        return unchanged
    data = [ProductDocument.members(one) for one in products[: page.limit]]
    return schemas.ProductsPage.model_validate({"data": data, "meta": meta})


@router.get(
    "/{key}",
    operation_id="readProduct",
    summary="Read a product",
    response_model=schemas.ProductAnswer,
    responses=problems(NotFound),
)
async def read_product(request: Request, response: Response, key: params.Key) -> schemas.ProductAnswer | Response:
    """Return a product with its terms."""
    stored = await curve_of(reading_of(request), key)
    if (unchanged := own_response(request, response, stored.curve_id, stored.version)) is not None:
        return unchanged
    return _answer(stored)


@router.post("", operation_id="addProduct", summary="Add a product", status_code=201, responses=_WRITTEN)
async def post_product(request: Request, body: schemas.NewProduct) -> schemas.ProductAnswer:
    """Add a product of your tenant, or a shared one. It has no quotes yet: send them with `POST /v2/curves/quotes`."""
    stored = await add_product(
        services(request).store.transactions,
        reading_of(request),
        _document(body),
        tenant=written_owner(request, body.owner),
        by=actor_of(request),
        most=services(request).store.settings.private.products,
    )
    await written(request)
    return _answer(stored)


@router.patch("/{key}", operation_id="changeProduct", summary="Change a product", responses=_WRITTEN)
async def patch_product(request: Request, key: params.Key, body: schemas.ProductChanges) -> schemas.ProductAnswer:
    """Change terms of a product. A release does not replace the terms of a shared product that an administrator changed."""
    reading = reading_of(request)
    tenant = stored_owner(request, (await curve_of(reading, key)).tenant)
    stored = await change_product(
        services(request).store.transactions,
        reading,
        key,
        _document(body),
        tenant=tenant,
        version=body.version,
        by=actor_of(request),
    )
    await written(request)
    return _answer(stored)


@router.delete("/{key}", operation_id="removeProduct", summary="Remove a product", status_code=204, responses=_WRITTEN)
async def delete_product(request: Request, key: params.Key) -> None:
    """Remove a product without quotes."""
    reading = reading_of(request)
    tenant = stored_owner(request, (await curve_of(reading, key)).tenant)
    await remove_product(services(request).store.transactions, reading, key, tenant=tenant, by=actor_of(request))
    await written(request)


def _document(body: BaseModel) -> Mapping[str, object]:
    """Return the members of a body as a document of a product; what the body leaves out is left out."""
    members = body.model_dump(mode="json", exclude_unset=True, exclude={"owner", "version"})
    return {"block" if name == "calendar_block" else name: value for name, value in members.items()}


def _answer(stored: StoredProduct) -> schemas.ProductAnswer:
    return schemas.ProductAnswer(data=ProductDocument.model_validate(ProductDocument.members(stored)))
