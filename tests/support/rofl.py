"""Stand-ins for Oasis ROFL: the daemon `rofl-appd` on a UNIX socket, and Sapphire's subcall precompile on anvil."""

from __future__ import annotations

import hashlib
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.anvil import DevAccount
from provenance_oracle.verifier.record.keccak import keccak256

APP = "rofl1qqn9xndja7e2pnxhttktmecvwzz0yqwxsquqyxdf"
SUBCALL = "0x0100000000000000000000000000000000000103"
_BODY_MAX_BYTES = 1 << 20


@dataclass
class FakeAppd:
    """The daemon. It forwards `sign-submit` from a development account, whose key the subcall takes for the app's.

    `lose_answers` makes it drop the connection after so many submissions took effect; `answers` replaces whole answers
    by path: a status and a text.
    """

    web3: Any
    account: DevAccount
    app_id: str = APP
    submitted: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    lose_answers: int = 0
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)

    def key(self, key_id: str) -> bytes:
        return hashlib.sha256(f"{self.app_id} {key_id}".encode()).digest()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, str]:
        self.asked.append(f"{method} {path}")
        if path in self.answers:
            return self.answers[path]
        if (method, path) == ("GET", "/rofl/v1/app/id"):
            return 200, self.app_id
        request = json.loads(body) if body else {}
        if (method, path) == ("POST", "/rofl/v1/keys/generate"):
            if request["kind"] != "secp256k1" or set(request) != {"key_id", "kind"}:
                return 400, "bad request"
            return 200, json.dumps({"key": self.key(request["key_id"]).hex()})
        if (method, path) == ("POST", "/rofl/v1/tx/sign-submit"):
            return 200, json.dumps({"data": self._submit(request).hex()})
        return 404, "not found"

    def _submit(self, request: dict[str, Any]) -> bytes:
        import cbor2

        assert request["tx"]["kind"] == "eth"
        call = request["tx"]["data"]
        assert set(call) == {"gas_limit", "to", "value", "data"}
        assert not any(str(value).startswith("0x") for value in call.values())
        self.submitted.append(request)
        sent = self.web3.eth.send_transaction(
            {
                "from": self.web3.to_checksum_address(self.account.address),
                "to": self.web3.to_checksum_address("0x" + call["to"]),
                "value": int(call["value"]),
                "data": "0x" + call["data"],
                "gas": int(call["gas_limit"]),
            }
        )
        receipt = self.web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
        if receipt["status"] == 1:
            return cbor2.dumps({"ok": b""})
        return cbor2.dumps({"fail": {"code": 8, "module": "evm", "message": "reverted"}})


@contextmanager
def running_appd(appd: FakeAppd, socket_path: Path) -> Iterator[None]:
    """Run the daemon on a socket."""
    pytest.importorskip("oasis_rofl_client", reason="no oasis-rofl-client: pip install 'provenance-oracle[rofl]'")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            assert length <= _BODY_MAX_BYTES
            status, text = appd.answer(self.command, self.path, self.rfile.read(length))
            if self.path.endswith("sign-submit") and appd.lose_answers > 0:
                appd.lose_answers -= 1
                self.close_connection = True
                return
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _handle  # noqa: N815

        def address_string(self) -> str:
            return "unix socket"

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    with Server(str(socket_path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def install_subcall(web3: Any, app: bytes, origin: str) -> None:
    """Put code at the precompile's address that says yes only to `rofl.IsAuthorizedOrigin` of an app from an origin.

    The answer is abi.encode(uint64(0), bytes): CBOR true (f5) or false (f4).
    """
    method = b"rofl.IsAuthorizedOrigin"
    body = b"\x55" + app
    words = [(64).to_bytes(32), (128).to_bytes(32), len(method).to_bytes(32), method.ljust(32, b"\0")]
    question = b"".join([*words, len(body).to_bytes(32), body.ljust(32, b"\0")])
    code = (
        bytes.fromhex("36600060003736600020")  # keccak256 of the call data
        + b"\x7f"
        + keccak256(question)
        + bytes.fromhex("1432")  # equal; origin
        + b"\x73"
        + bytes.fromhex(origin[2:])
        + bytes.fromhex("1416")  # equal; and
        + bytes.fromhex("60f40160f81b606052")  # f4 or f5 in the first byte of word 3
        + bytes.fromhex("6000600052604060205260016040526080" + "6000f3")
    )
    answer = web3.provider.make_request("anvil_setCode", [SUBCALL, "0x" + code.hex()])
    assert "error" not in answer, answer
