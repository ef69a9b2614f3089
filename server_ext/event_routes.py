"""`GET snapml/events`: every event row as server-sent events, from a cursor, so that nothing is missed after a break."""

from __future__ import annotations

from tornado.iostream import StreamClosedError

from .. import wire
from ..domain.errors import InvalidInputError
from ..domain.event import Event
from ..governance.status import get_status, list_events
from .handler import SnapMLHandler, Surroundings, allowed

#: A comment is sent this often when nothing happens, so that proxies keep the connection and a dead one is noticed.
_HEARTBEAT_SECONDS = 15.0


class EventsHandler(SnapMLHandler):
    """Start after `?after=ID` or the `Last-Event-ID` that browsers send when they reconnect; without either, from now."""

    def initialize(self, surroundings: Surroundings) -> None:
        """The watcher says when to look."""
        super().initialize(surroundings)
        self._gone = False

    @allowed("read")
    async def get(self) -> None:
        """Until the client or the server goes away."""
        cursor = await self._cursor()
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")
        try:
            self.write("retry: 1000\n\n")
            await self.flush()
            while not self._gone and not self.surroundings.watcher.is_stopped:
                batch: list[Event] = await self.served.in_thread(self._after, cursor)
                for event in batch:
                    self.write(b"id: %d\ndata: %s\n\n" % (event.event_id, wire.encode_json(event)))
                    cursor = event.event_id
                if not batch:
                    await self.surroundings.watcher.wait_for_change(_HEARTBEAT_SECONDS)
                    self.write(": here\n\n")
                await self.flush()
        except StreamClosedError:
            return
        self.finish(set_content_type="text/event-stream")

    async def _cursor(self) -> int:
        given = self.get_query_argument("after", None) or self.request.headers.get("Last-Event-ID")
        if not given:
            return await self.served.in_thread(lambda: get_status(self.served.open()).last_event_id)
        if not given.isdigit():
            raise InvalidInputError(
                f"after={given[:40]!r} is not an event id. Use the id of the last event you saw, or 0."
            )
        return int(given)

    def _after(self, cursor: int) -> list[Event]:
        return list_events(self.served.open(), after=cursor)

    def on_connection_close(self) -> None:
        """Stop looking."""
        self._gone = True
        super().on_connection_close()
