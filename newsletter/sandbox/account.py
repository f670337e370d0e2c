"""What a SendGrid account says of itself, in the shape of its API."""

from typing import Any

from newsletter.sandbox.routing import CallError, Reply, Request, RequestContext, route

_USER = {"user_id": 1, "username": "sandbox"}
_EVENTS = (
    "account_status_change", "bounce", "click", "deferred", "delivered", "dropped",
    "group_resubscribe", "group_unsubscribe", "open", "processed", "spam_report", "unsubscribe",
)  # fmt: skip


def _change(context: RequestContext, request: Request) -> Reply:
    try:
        context.account.change(request.body)
    except ValueError as error:
        raise CallError(400, str(error)) from error
    return _show(context, request)


def _show(context: RequestContext, _: Request) -> Reply:
    return Reply.of(dict(context.account.state))


def _domains(context: RequestContext, _: Request) -> Reply:
    return Reply.of([_domain(n, one) for n, one in enumerate(context.account.state["domains"], 1)])


def _domain(number: int, one: dict[str, Any]) -> dict[str, Any]:
    domain, valid = one["domain"], one.get("valid", True)
    base: dict[str, Any] = {
        "id": number,
        "subdomain": "em1",
        "ips": [],
        "custom_spf": False,
        "default": True,
    }
    records = {
        name: {"valid": valid, "type": "cname", "host": f"{host}.{domain}", "data": data}
        for name, host, data in (
            ("mail_cname", "em1", "u1.wl.sendgrid.net"),
            ("dkim1", "s1._domainkey", "s1.domainkey.u1.wl.sendgrid.net"),
            ("dkim2", "s2._domainkey", "s2.domainkey.u1.wl.sendgrid.net"),
        )
    }
    shape = {"domain": domain, "valid": valid, "dns": records}
    return base | _USER | {"legacy": False, "automatic_security": True} | shape


def _links(context: RequestContext, _: Request) -> Reply:
    return Reply.of([_link(n, one) for n, one in enumerate(context.account.state["links"], 1)])


def _link(number: int, one: dict[str, Any]) -> dict[str, Any]:
    domain, valid = one["domain"], one.get("valid", True)
    record = {"valid": valid, "type": "cname", "host": f"url1.{domain}", "data": "sendgrid.net"}
    base = {"id": number, "subdomain": "url1", "default": True, "legacy": False}
    return base | _USER | {"domain": domain, "valid": valid, "dns": {"domain_cname": record}}


def _senders(context: RequestContext, _: Request) -> Reply:
    found = enumerate(context.account.state["senders"], 1)
    base = {"nickname": "sender", "locked": False}
    return Reply.of({"results": [base | {"id": n, "verified": True} | one for n, one in found]})


def _webhooks(context: RequestContext, _: Request) -> Reply:
    hooks = [_webhook(context, n) for n in range(len(context.account.state["webhooks"]))]
    return Reply.of({"max_allowed": 1, "webhooks": hooks})


def _webhook(context: RequestContext, place: int) -> dict[str, Any]:
    one = dict(context.account.state["webhooks"][place])
    key = context.signer.public_key if one.pop("signed", True) else ""
    events = dict.fromkeys(_EVENTS, True)
    base = {"id": f"hook-{place}", "enabled": True, "friendly_name": None, "public_key": key}
    return base | events | one


def _signed(context: RequestContext, _: Request, number: str) -> Reply:
    place = number.removeprefix("hook-")
    if not place.isdecimal() or int(place) >= len(context.account.state["webhooks"]):
        raise CallError(404)
    key = _webhook(context, int(place))["public_key"]
    return Reply.of({"id": number, "public_key": key})


def _parse(context: RequestContext, _: Request) -> Reply:
    base = {"spam_check": False, "send_raw": False}
    return Reply.of({"result": [base | one for one in context.account.state["parse"]]})


def _mail_settings(context: RequestContext, _: Request) -> Reply:
    return _switches(context.account.state["mail_settings"])


def _tracking(context: RequestContext, _: Request) -> Reply:
    return _switches(context.account.state["tracking_settings"])


def _switches(switches: dict[str, bool]) -> Reply:
    named = [
        {"name": name, "enabled": enabled, "title": name, "description": name}
        for name, enabled in switches.items()
    ]
    return Reply.of({"result": named})


def _groups(context: RequestContext, _: Request) -> Reply:
    names = enumerate(context.account.state["groups"], 1)
    base = {"description": "a group", "is_default": False, "unsubscribes": 0}
    return Reply.of([base | {"id": number, "name": name} for number, name in names])


def _credits(context: RequestContext, _: Request) -> Reply:
    period = {"last_reset": "2026-11-01", "next_reset": "2026-12-01", "reset_frequency": "monthly"}
    return Reply.of(
        {"remain": 0, "total": 0, "overage": 0, "used": 0}
        | period
        | context.account.state["credits"]
    )


ROUTES = (
    route("PUT", "/sandbox/account", _change),
    route("GET", "/sandbox/account", _show),
    route("GET", "/v3/whitelabel/domains", _domains),
    route("GET", "/v3/whitelabel/links", _links),
    route("GET", "/v3/verified_senders", _senders),
    route("GET", "/v3/user/webhooks/event/settings/all", _webhooks),
    route("GET", "/v3/user/webhooks/event/settings/signed/{}", _signed),
    route("GET", "/v3/user/webhooks/parse/settings", _parse),
    route("GET", "/v3/mail_settings", _mail_settings),
    route("GET", "/v3/tracking_settings", _tracking),
    route("GET", "/v3/asm/groups", _groups),
    route("GET", "/v3/user/credits", _credits),
)
