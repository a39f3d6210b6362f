"""The console as OpenAPI: what a browser could send, and what it could not."""

import re

TEXT = {"type": "string", "maxLength": 300}
NUMBER = {"anyOf": [{"type": "string", "pattern": r"^-?[0-9]{1,14}(\.[0-9]{1,4})?$"}, TEXT]}
DAY = {"anyOf": [{"type": "string", "format": "date"}, TEXT]}


def one_of(*words):
    return {"anyOf": [{"enum": list(words)}, TEXT]}


def console(token, household, lot):
    path = {
        "household": one_of(household),
        "season": {"anyOf": [{"enum": ["2026"]}, {"type": "integer"}]},
        "lot": one_of(lot),
        "file": one_of("harvests.csv", "harvests.xlsx", "households.csv", "orders.csv", "style.css"),
        "token": TEXT,
        "code": one_of("autumn", "XM-05", "millet"),
        "product": one_of("millet"),
        "import": one_of("0" * 32),
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
        "/orders/files": {"gone": TEXT},
        "/orders/files/{import}": {},
        "/catalogue": {},
        "/skus/{code}": {},
        "/stock": {},
        "/stock/{product}": {"grade": TEXT, "page": NUMBER},
        "/streams": {},
        "/streams/{code}": {},
        "/api": {},
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
        "/catalogue": {
            "code": one_of("millet"), "zh": TEXT, "en": TEXT, "price:A": NUMBER, "new-grade": TEXT, "new-price": NUMBER,
            "seen": TEXT, "was:zh": TEXT,
        },
        "/promotions": {
            "code": one_of("autumn"), "title": TEXT, "day": DAY, "new-day": DAY, "offer:millet": NUMBER,
            "new-product": one_of("millet"), "new-price": NUMBER, "seen": TEXT,
        },
        "/skus": {
            "code": one_of("XM-05", "XM-06"), "new": one_of("yes"), "product": one_of("millet"), "grade": TEXT, "grams": NUMBER,
            "shelf": NUMBER, "certificate": one_of("no", "always"), "names": TEXT, "codes": TEXT, "seen": TEXT,
        },
        "/skus/{code}/end": {"ended": one_of("yes")},
        "/stock/goods-in": {
            "product": one_of("millet"), "grade": TEXT, "grams": NUMBER, "day": DAY, "expiry": DAY, "from": TEXT, "bin": TEXT,
        },
        "/streams": {
            "code": one_of("autumn", "winter"), "new": one_of("yes"), "host": TEXT, "platform": one_of("douyin"), "shop": TEXT,
            "starts": TEXT, "ends": TEXT, "seen": TEXT,
        },
        "/streams/{code}/offer": {
            "sku": one_of("XM-05"), "new": one_of("yes"), "price": NUMBER, "wanted": NUMBER, "limit": NUMBER, "margin": NUMBER,
            "lots": TEXT, "seen": TEXT,
        },
        "/streams/{code}/more": {"sku": one_of("XM-05"), "wanted": NUMBER, "was:wanted": NUMBER},
        "/streams/{code}/offer-end": {"sku": one_of("XM-05"), "ended": one_of("yes")},
        "/orders/files/{import}/map": {"shop-code": TEXT, "shop-name": TEXT, "sku": one_of("XM-05")},
        "/orders/files/{import}/take": {},
        "/orders/files/{import}/drop": {},
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
