"""docs/API.md, run as it stands: each command is run, and each answer holds what the page shows of it."""

import json
import os
import queue
import re
import subprocess
import threading
from http.server import HTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "server/tests/samples/orders/douyin-product.csv"


def blocks(text):
    """The fenced blocks of a page, each with its language."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def differs(shown, answer, where="$"):
    """Where an answer is not as the page shows it; none where it is. Words are equal unless they have an ellipsis; of numbers and
    truths the kind is; a list's first thing stands for all."""
    if isinstance(shown, dict):
        if not isinstance(answer, dict):
            return f"{where} is {answer!r}"
        missing = [name for name in shown if name not in answer]
        if missing:
            return f"{where} lacks {missing}"
        return next(filter(None, (differs(shown[name], answer[name], f"{where}.{name}") for name in shown)), None)
    if isinstance(shown, list):
        if not isinstance(answer, list) or bool(shown) != bool(answer):
            return f"{where} is {answer!r}"
        return differs(shown[0], answer[0], f"{where}[0]") if shown else None
    if isinstance(shown, str) and "…" not in shown:
        return None if shown == answer else f"{where} is {answer!r}"
    return None if type(shown) is type(answer) else f"{where} is {answer!r}"


def run(base, key, authority, folder):
    """Runs the page in this folder; an AssertionError names the command that went wrong."""
    found = blocks((ROOT / "docs/API.md").read_text())
    (folder / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    told, receiver = queue.Queue(), {"__name__": "receiver", "print": lambda *words: told.put(words)}
    exec(next(text for language, text in found if language == "python"), receiver)
    hook = HTTPServer(("127.0.0.1", 0), receiver["Hook"])
    receiver["Hook"].log_message = lambda *_: None
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    own = f"http://127.0.0.1:{hook.server_port}/granary"
    env = {**os.environ, "GRANARY": base, "KEY": key, "CURL_CA_BUNDLE": str(authority)}
    commands = 0
    try:
        for at, (language, text) in enumerate(found):
            if language != "sh":
                continue
            commands += text.count("curl ")
            done = subprocess.run(
                ["bash", "-euc", text.replace("https://shop.example/granary", own)],
                cwd=folder, env=env, capture_output=True, text=True, timeout=60,
            )
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
            shown = found[at + 1] if at + 1 < len(found) else ("", "")
            if shown[0] != "json":
                assert done.stdout == "", f"{text}\n{done.stdout}"
                continue
            answer = json.loads(done.stdout)
            wrong = differs(json.loads(shown[1].replace("https://shop.example/granary", own)), answer)
            assert wrong is None, f"{text}\n{wrong}\n{done.stdout}"
            env["ID"] = str(answer.get("id", env.get("ID", "")))
            receiver["SECRET"] = answer.get("secret", receiver["SECRET"])
            if text.rstrip().endswith('/dead"'):
                heard(told, receiver)
        assert commands >= 15, "the page lost its commands"
    finally:
        hook.shutdown()
        hook.server_close()


def heard(told, receiver):
    """The delivery to try it came, and was taken for ours; a changed one would not be."""
    kinds = set()
    while "test" not in kinds:
        kinds.add(told.get(timeout=30)[1])
    signed, secret = receiver["is_granarys"], receiver["SECRET"]
    at = str(int(receiver["time"].time()))
    code = receiver["hmac"].new(secret.encode(), f"{at}.body".encode(), "sha256").hexdigest()
    assert signed(f"t={at},v1={code}", b"body", secret) and signed(f"t={at},v1=00,v1={code}", b"body", secret)
    for header, body, key in (
        (f"t={at},v1={code}", b"Body", secret), (f"t={at},v1={code}", b"body", secret + "0"), (f"t=1,v1={code}", b"body", secret),
        ("", b"body", secret), (f"t={at}", b"body", secret),
    ):
        assert not signed(header, body, key), (header, body)
