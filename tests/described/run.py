"""Holds a real server against its OpenAPI description, and its console against any input, with schemathesis.

    tests/described/run.py PROGRAM [SECONDS]

PROGRAM is the `granary` program. `schemathesis` must be on the path (`pip install schemathesis`).
Ends with 1 when an answer is not as described, or anything makes the server fail.
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

# Bodies are binary frames, which a schema can't validate; all else is checked against it.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,allow_header_conformance"
)
TEXT = {"type": "string", "maxLength": 300}
NUMBER = {"anyOf": [{"type": "string", "pattern": r"^-?[0-9]{1,14}(\.[0-9]{1,4})?$"}, TEXT]}
DAY = {"anyOf": [{"type": "string", "format": "date"}, TEXT]}


def one_of(*words):
    return {"anyOf": [{"enum": list(words)}, TEXT]}


def console(token, household, lot):
    """The coordinators' pages: what a browser could send, and what it could not."""
    path = {
        "household": one_of(household),
        "season": {"anyOf": [{"enum": ["2026"]}, {"type": "integer"}]},
        "lot": one_of(lot),
        "file": one_of("harvests.csv", "harvests.xlsx", "households.csv", "orders.csv", "style.css"),
        "token": TEXT,
    }
    case = one_of(f"{household}/2026/grams/{lot}")
    pages = {
        "": {"silent": {"anyOf": [{"type": "integer"}, TEXT]}},
        "/harvests": {
            "product": one_of("millet"), "village": TEXT, "state": one_of("recorded", "received", "rejected"),
            "from": DAY, "to": DAY, "search": TEXT, "household": one_of(household), "conflicts": one_of("yes"),
            "sort": one_of("day", "grams", "-grams"), "page": NUMBER,
        },
        "/lots/{lot}": {},
        "/cases": {"state": one_of("open", "settled"), "kind": one_of("field", "weight", "twice"), "page": NUMBER},
        "/orders": {"status": one_of("placed", "packed", "shipped")},
        "/catalogue": {},
        "/households": {"search": TEXT, "village": TEXT, "page": NUMBER},
        "/households/{household}": {},
        "/phones": {},
        "/coordinators": {},
        "/invitations": {"page": NUMBER},
        "/export": {},
        "/export/{file}": {"product": one_of("millet"), "from": DAY, "to": DAY, "search": TEXT},
        "/import": {},
        "/once/{token}": {},
        "/sign-in": {"coop": {"anyOf": [{"type": "integer"}, TEXT]}},
    }
    forms = {
        "/sign-in": {"coop": NUMBER, "login": TEXT, "password": TEXT},
        "/once/{token}": {},
        "/language": {"language": one_of("zh", "en")},
        "/coordinators/remove": {"login": TEXT},
        "/invitations/withdraw": {"invitation": TEXT},
        "/lots/{lot}/receipt": {
            "day": DAY, "state": one_of("received", "rejected"), "grams": NUMBER, "grade": TEXT, "reason": TEXT,
        },
        "/lots/{lot}/correct": {
            "grams": NUMBER, "moisture": NUMBER, "product": TEXT, "grade": TEXT, "day": DAY, "place": TEXT, "note": TEXT,
            "was:grams": TEXT, "seen": TEXT,
        },
        "/cases/settle": {
            "case": case, "how": one_of("leave", "settle"), "value": TEXT, "other": NUMBER, "keep": one_of(lot), "note": TEXT,
        },
        "/cases/many": {"case": case, "rule": one_of("warehouse", "latest", "older")},
        "/cases/undo": {"case": case},
        "/orders/status": {"status": one_of("packed", "cancelled"), "platform": TEXT, "outside": TEXT},
        "/catalogue/product": {
            "code": one_of("millet"), "zh": TEXT, "en": TEXT, "price:A": NUMBER, "new-grade": TEXT, "new-price": NUMBER,
            "seen": TEXT, "was:zh": TEXT,
        },
        "/catalogue/promotion": {
            "code": one_of("autumn"), "title": TEXT, "day": DAY, "new-day": DAY, "offer:millet": NUMBER,
            "new-product": one_of("millet"), "new-price": NUMBER, "seen": TEXT,
        },
        "/households/add": {"name": TEXT, "village": TEXT},
        "/households/invite": {"household": one_of(household)},
        "/households/sheet": {"village": TEXT},
        "/households/{household}": {"name": TEXT, "village": TEXT, "seen": TEXT, "was:name": TEXT},
        "/phones/invite": {"role": one_of("packer", "coordinator")},
        "/phones/revoke": {"device": {"anyOf": [{"type": "string", "pattern": "^[0-9a-f]{16}$"}, TEXT]}},
        "/import/confirm": {"text": one_of("code,zh,en\nmillet,谷子,millet\n", "name,village\nLi,East\n")},
    }
    paths = {}
    for where, fields in pages.items():
        asked = [{"name": name, "in": "query", "schema": schema} for name, schema in fields.items()]
        paths.setdefault(where or "/", {})["get"] = {"parameters": asked, "responses": {"default": {"description": ""}}}
    for where, fields in forms.items():
        fields = {**fields, "token": {"const": token}}
        body = {"type": "object", "required": ["token"], "properties": fields}
        content = {"application/x-www-form-urlencoded": {"schema": body}}
        paths.setdefault(where, {})["post"] = {
            "requestBody": {"required": True, "content": content}, "responses": {"default": {"description": ""}},
        }
    for where, methods in paths.items():
        inside = [{"name": name, "in": "path", "required": True, "schema": path[name]} for name in re.findall(r"{(\w+)}", where)]
        for method in methods.values():
            method["parameters"] = method.get("parameters", []) + inside
    return {"openapi": "3.1.0", "info": {"title": "console", "version": "1"}, "paths": paths}


def main():
    program = Path(sys.argv[1]).resolve()
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    folder = Path(tempfile.mkdtemp(prefix="granary-described-"))
    data, phone = folder / "data", folder / "phone"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = [program, "serve", "--listen", f"127.0.0.1:{port}", "--folder", data]
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
                "--suppress-health-check", "all", "--warnings", "off", "--request-retries", "2", *more,
            ]
            return subprocess.run(words, cwd=folder).returncode

        failed = hold(f"{base}/openapi.json", CHECKS)
        failed |= hold(described, "not_a_server_error", "--url", f"{base}/console", "--header", f"Cookie: {cookies}")
        assert browser.open(f"{base}/ready").read() == b"ready\n"
        return 1 if failed or server.poll() is not None else 0
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
