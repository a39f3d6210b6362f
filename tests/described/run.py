"""Holds a real server against its OpenAPI description, with a key and without one, and its console against any input, with
schemathesis; and runs docs/API.md as it stands.

    tests/described/run.py PROGRAM [SECONDS [SEED]]

PROGRAM is the `granary` program; each of three parts takes so many seconds. `schemathesis` must be on the path (`pip install
schemathesis`), and `curl`. Ends with 1 when an answer is not as described, or anything makes the server fail.
"""

import http.cookiejar
import json
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pages
import shop
from console import console

# Bodies are binary frames, which a schema can't validate; all else is checked against it.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,allow_header_conformance"
)


def main():
    program = Path(sys.argv[1]).resolve()
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    seed = ["--seed", sys.argv[3]] if len(sys.argv) > 3 else []
    folder = Path(tempfile.mkdtemp(prefix="granary-described-"))
    data, phone = folder / "data", folder / "phone"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = [program, "serve", "--listen", f"127.0.0.1:{port}", "--folder", data, "--webhook-network", "127.0.0.0/8"]
    server = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, env={"GRANARY_LOG": "error"})
    try:
        assert server.stdout.readline().startswith("listening on")

        def order(*words, said=None):
            done = subprocess.run(
                [program, *words], input=said, capture_output=True, text=True, check=True,
                env={"GRANARY_FOLDER": str(data), "GRANARY_PHONE": str(phone)},
            )
            return done.stdout

        order("coop", "create", "Linxian County Growers")
        order("coordinator", "add", "zhang", "Zhang Wei", said="correct horse battery\n")
        invitation = re.search(r"granary://\S+", order("invite", "--role", "household:new")).group()
        order("phone", "enrol", "--yes", invitation)
        lot = order("phone", "record", "--yes", "millet", "12500").split()[1]
        order("phone", "sync")
        once = re.search(r"https://\S+", order("coordinator", "link", "zhang")).group()

        trusted = ssl.create_default_context(cafile=data / "authority.pem")
        jar = http.cookiejar.CookieJar()
        browser = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=trusted), urllib.request.HTTPCookieProcessor(jar)
        )
        # Looking at the link redeems nothing; its button does.
        browser.open(once).read()
        browser.open(once, data=b"").read()
        base = f"https://localhost:{port}"
        page = browser.open(f"{base}/console/households").read().decode()
        token = re.search(r'name="token" value="([^"]+)"', page).group(1)
        household = re.search(r"household:([0-9a-f-]{36})", order("devices")).group(1)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
        described = folder / "console.json"
        described.write_text(json.dumps(console(token, household, lot)))

        def hold(where, checks, *more):
            # A connection that the server has just closed, after something that is no HTTP, is opened again.
            words = [
                "schemathesis", "run", str(where), "--tls-verify", str(data / "authority.pem"), "--checks", checks,
                "--phases", "coverage,fuzzing", "--max-time", str(seconds), "--continue-on-failure",
                "--suppress-health-check", "all", "--warnings", "off", "--request-retries", "2", *seed, *more,
            ]
            return subprocess.run(words, cwd=folder).returncode

        shop.furnish(base, browser, token)
        key = shop.key(order)
        shop.granted(base, key, trusted)
        pages.run(base, key, data / "authority.pem", folder)

        failed = hold(f"{base}/openapi.json", CHECKS)
        called = folder / "called.json"
        called.write_text(json.dumps(shop.called(json.load(browser.open(f"{base}/openapi.json")), base, key, trusted)))
        failed |= hold(called, CHECKS, "--url", base, "--header", f"Authorization: Bearer {key}")
        failed |= hold(described, "not_a_server_error", "--url", f"{base}/console", "--header", f"Cookie: {cookies}")
        assert browser.open(f"{base}/ready").read() == b"ready\n"
        return 1 if failed or server.poll() is not None else 0
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
