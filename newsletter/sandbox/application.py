"""The application: finds the route of a request, and the fault that strikes it."""

from http import HTTPStatus

from newsletter.sandbox import control, inbox, logs, v3
from newsletter.sandbox.faults import FaultKind, FaultRule
from newsletter.sandbox.routing import BadRequest, RequestContext, RouteNotFound
from newsletter.sandbox.transport import Reply, Request

_ROUTES = v3.ROUTES + logs.ROUTES + control.ROUTES + inbox.ROUTES
_FAULT_WORDS = {FaultKind.STATUS_401_CREDITS: "Maximum credits exceeded"}


class StandIn:
    """The stand-in's side of the transport."""

    def __init__(self, room: RequestContext) -> None:
        self._room = room
        self.max_body = room.config.max_body

    def fault(self, method: str, path: str) -> FaultRule | None:
        """Return the fault that strikes this call; only mail/send is ever struck."""
        if (method, path) != ("POST", v3.SEND):
            return None
        rule = self._room.faults.draw()
        tallies = {"requests": 1}
        if rule:
            tallies[f"fault {rule.kind}"] = 1
        self._room.store.count(tallies)
        return rule

    def faulty_reply(self, rule: FaultRule) -> Reply:
        """Return the reply of a fault that answers in good form."""
        if rule.kind is FaultKind.REDIRECT:
            return Reply(status=302, headers={"Location": "/sandbox/elsewhere"})
        status = 413 if rule.kind is FaultKind.EARLY_413 else int(rule.kind.split("_")[1])
        reply = v3.refusal(status, _FAULT_WORDS.get(rule.kind, ""))
        if status == HTTPStatus.TOO_MANY_REQUESTS and rule.headers:
            headers = v3.rate_limit_headers(0, rule.seconds)
            return Reply(status=status, body=reply.body, headers=headers)
        return reply

    def too_large(self) -> Reply:
        """Return the reply to a body above the limit."""
        self._room.store.count({"status 413": 1})
        return v3.refusal(413)

    def answer(self, request: Request) -> Reply:
        """Do what is asked; a refusal of mail/send is counted by its status."""
        if not request.path.startswith("/v3/"):
            return self._act(request)
        known = v3.is_authorized(self._room, request)
        reply = self._act(request) if known else v3.refusal(401)
        if request.path == v3.SEND:
            self._room.store.count({f"status {reply.status}": 1})
        return reply

    def _act(self, request: Request) -> Reply:
        found = [(r, m) for r in _ROUTES if (m := r.path.fullmatch(request.path))]
        for route, match in found:
            if route.method == request.method:
                try:
                    return route.action(self._room, request, *match.groups())
                except BadRequest as error:
                    return v3.refusal(400, str(error))
                except RouteNotFound:
                    return v3.refusal(404)
        return v3.refusal(405 if found else 404)
