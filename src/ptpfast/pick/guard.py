"""Who may ask the page's server, and what every answer says to the browser."""

from __future__ import annotations

from hmac import compare_digest

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .loopback import Loopback

# The page's own header. Another site cannot send it without asking first, which is refused.
OWN_HEADER = "x-ptpfast-pick"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Refuse every request that is not from the page itself.

    The path needs the token. The Host header has to be the address: else a site could have its
    name point to this computer. Other origins are refused, and commands need an Origin and the
    page's own header. One path without the token leads to the page, once: that of the ticket.
    """

    def __init__(self, app: ASGIApp, here: Loopback, ticket: str) -> None:
        self._app = app
        self._here = here
        self._ticket = f"/{ticket}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on with the path below the token."""
        if scope["type"] != "http":
            return

        refusal = self._refusal(scope)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
                if refusal is not None:  # a stranger does not stay
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        if refusal is not None:
            await refusal(scope, receive, send_guarded)
            return
        path = self._here.below(scope["path"])
        await self._app({**scope, "path": f"/{path}", "root_path": ""}, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that is not the page's; None if it is."""
        headers = Headers(scope=scope)
        if not self._here.is_own(headers.get("host", "")):
            return PlainTextResponse("not found", 404)
        if scope["method"] == "GET" and compare_digest(
            scope["path"].encode(errors="surrogatepass"), self._ticket.encode()
        ):
            self._ticket = ""
            return RedirectResponse(self._here.root, 303)
        if self._here.below(scope["path"]) is None:
            return PlainTextResponse("not found", 404)
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return PlainTextResponse("this page is for this computer only", 403)
        is_command = scope["method"] not in ("GET", "HEAD")
        default = "" if is_command else self._here.origin
        if headers.get("origin", default) != self._here.origin:
            return PlainTextResponse("this page is for this computer only", 403)
        if is_command and headers.get(OWN_HEADER) != "1":
            return PlainTextResponse("this page is for this computer only", 403)
        return None
