"""A web service that lists a camera and streams its objects to any number of browsers.

    CAMERA=192.168.1.1 uvicorn --app-dir examples --factory web_service:make_app

Needs fastapi, anyio and uvicorn. An object is never held in memory: a piece is read from the camera
when the browser has taken the last one. So a slow browser slows the camera down.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

import ptpfast.aio

PIECE = 1 << 20


def make_app(camera: str | None = None) -> FastAPI:
    """Return the application for a camera, by default the one in the environment."""
    address = camera or os.environ["CAMERA"]

    @asynccontextmanager
    async def connected(app: FastAPI) -> AsyncIterator[None]:
        async with ptpfast.aio.connect(address) as session:
            app.state.session = session
            yield

    app = FastAPI(lifespan=connected)

    @app.get("/objects")
    async def objects() -> list[dict[str, object]]:
        found = await app.state.session.objects()
        return [{"handle": each.handle, "name": each.name, "size": each.size} for each in found]

    @app.get("/objects/{handle}")
    async def content(handle: int) -> StreamingResponse:
        try:
            info = await app.state.session.object_info(handle)
        except ptpfast.InvalidObjectHandle as error:
            raise HTTPException(404, "there is no such object") from error
        headers = {"Content-Length": str(info.size)} if info.size else {}
        return StreamingResponse(pieces(info), headers=headers)

    async def pieces(info: ptpfast.ObjectInfo) -> AsyncIterator[bytes]:
        async with app.state.session.stream(info, PIECE) as stream:
            async for piece in stream:
                yield bytes(piece)

    return app
