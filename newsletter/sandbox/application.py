"""Routes a request to its action, or to the fault that is in force."""

from http import HTTPStatus

from newsletter.sandbox import control, inbox, logs, v3
from newsletter.sandbox.faults import FaultKind, FaultRule
from newsletter.sandbox.routing import BadRequest, Reply, Request, RequestContext, RouteNotFound

_ROUTES = v3.ROUTES + logs.ROUTES + control.ROUTES + inbox.ROUTES
_FAULT_WORDS = {FaultKind.STATUS_401_CREDITS: "Maximum credits exceeded"}


class SandboxApplication:
    """Answers the requests that the transport reads, and chooses their faults."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context
        self.max_body = context.config.max_body

    def fault(self, method: str, path: str) -> FaultRule | None:
        """Return the fault of this call, if any; only mail/send ever has one."""
        if (method, path) != ("POST", v3.SEND):
            return None
        rule = self._context.faults.draw()
        tallies = {"requests": 1}
        if rule:
            tallies[f"fault {rule.kind}"] = 1
        self._context.store.count(tallies)
        return rule

    def faulty_reply(self, rule: FaultRule) -> Reply:
        """Return the reply of a fault that answers with valid HTTP."""
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
        self._context.store.count({"status 413": 1})
        return v3.refusal(413)

    def answer(self, request: Request) -> Reply:
        """Run the action of the request's route; answers of mail/send are counted by status."""
        if not request.path.startswith("/v3/"):
            return self._act(request)
        known = v3.is_authorized(self._context, request)
        reply = self._act(request) if known else v3.refusal(401)
        if request.path == v3.SEND:
            self._context.store.count({f"status {reply.status}": 1})
        return reply

    def _act(self, request: Request) -> Reply:
        found = [(r, m) for r in _ROUTES if (m := r.path.fullmatch(request.path))]
        for route, match in found:
            if route.method == request.method:
                try:
                    return route.action(self._context, request, *match.groups())
                except BadRequest as error:
                    return v3.refusal(400, str(error))
                except RouteNotFound:
                    return v3.refusal(404)
        return v3.refusal(405 if found else 404)
