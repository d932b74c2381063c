"""The stock stack over the same tables: FastAPI, SQLAlchemy ORM and Pydantic as in their tutorials; and a bare ASGI app."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy import DateTime, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The registry of the mapping."""


class SeriesRow(Base):
    """A series."""

    __tablename__ = "series"
    series_id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]


class ObservationRow(Base):
    """An observation."""

    __tablename__ = "observation"
    series_id: Mapped[int] = mapped_column(primary_key=True)
    ts: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    value: Mapped[float]
    quality: Mapped[int]
    known_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ObservationOut(BaseModel):
    """An observation in an answer."""

    model_config = ConfigDict(from_attributes=True)
    ts: datetime
    value: float
    quality: int
    known_at: datetime


async def session_of(request: Request) -> AsyncGenerator[AsyncSession]:
    """Yield a session for one request."""
    async with request.app.state.sessions() as session:
        yield session


router = APIRouter()


@router.get("/series/{key:path}/observations", response_model=list[ObservationOut])
async def observations(key: str, start: datetime, end: datetime, session: Annotated[AsyncSession, Depends(session_of)]) -> Any:
    """Return the observations in a span."""
    series = await session.scalar(select(SeriesRow).where(SeriesRow.key == key))
    if series is None:
        raise HTTPException(404, f"no series {key}")
    query = (
        select(ObservationRow)
        .where(ObservationRow.series_id == series.series_id, ObservationRow.ts >= start, ObservationRow.ts < end)
        .order_by(ObservationRow.ts)
    )
    return (await session.scalars(query)).all()


def create_stock() -> FastAPI:
    """Return the application. ``STOCK_URL`` holds the URL of the database."""
    url = os.environ["STOCK_URL"]  # noqa: TID251 - uvicorn passes no arguments to a factory
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=8)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    app.include_router(router)
    return app


_BODY = b"x" * 2048


async def bare(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer every request with 2 kB, the cheapest that an ASGI server can do."""
    if scope["type"] != "http":
        return
    headers = [(b"content-length", b"2048"), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _BODY})
