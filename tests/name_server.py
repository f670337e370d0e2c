"""A name server on loopback that answers from a table, or not at all."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

SILENT = "silent"  #: in place of values: no answer
BROKEN = "broken"  #: the server itself failed

Records = dict[tuple[str, str], list[str] | str]


@contextmanager
def name_server(records: Records) -> Iterator[str]:
    """Serve these records, which may be changed meanwhile; yield ADDRESS:PORT."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(listening, records), daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.sendto(b"", listening.getsockname())  # an empty one ends it
        thread.join()


def _serve(listening: socket.socket, records: Records) -> None:
    while True:
        wire, asker = listening.recvfrom(4096)
        if not wire:
            return
        if answer := _answer(dns.message.from_wire(wire), records):
            listening.sendto(answer.to_wire(), asker)


def _answer(asked: dns.message.Message, records: Records) -> dns.message.Message | None:
    [question] = asked.question
    kind = dns.rdatatype.to_text(question.rdtype)
    name = question.name.to_text(omit_final_dot=True)
    found = records.get((name, kind))
    answer = dns.message.make_response(asked)
    answer.flags |= dns.flags.RA
    if found == SILENT:
        return None
    if found == BROKEN:
        answer.set_rcode(dns.rcode.SERVFAIL)
    elif found:
        answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
    elif not any(known == name for known, _ in records):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer
