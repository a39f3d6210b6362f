"""A shop in a running server: goods in the catalogue and in the warehouse, a live-stream that sells them, a key."""

import json
import re
import time
import urllib.parse
import urllib.request

SCOPES = ("orders:write", "orders:read", "stock:read", "ship:read", "pools:write")


def furnish(base, browser, token):
    """What coordinators enter on the console: a product, its pack, 500 kg of it, and a stream that wants 50 packs."""
    forms = (
        ("/catalogue", {"code": "millet", "new": "yes", "zh": "小米", "en": "Millet", "new-grade": "A", "new-price": "7.6"}),
        ("/skus", {"code": "XM-05", "new": "yes", "product": "millet", "grade": "A", "grams": "2.5", "shelf": "", "certificate": "no"}),
        ("/stock/goods-in", {"product": "millet", "grade": "A", "grams": "500", "day": "2026-01-10"}),
        ("/streams", {"code": "autumn", "new": "yes", "host": "Zhang", "platform": "douyin", "shop": "", "starts": "2026-01-10T20:00", "ends": ""}),
        ("/streams/autumn/offer", {"sku": "XM-05", "new": "yes", "price": "39.90", "wanted": "50"}),
    )
    for where, fields in forms:
        body = urllib.parse.urlencode({**fields, "token": token}).encode()
        browser.open(f"{base}/console{where}", data=body).read()


def key(order):
    """A key of the only shop on douyin that may do everything."""
    words = [word for scope in SCOPES for word in ("--scope", scope)]
    return re.search(r"grn_\w+", order("key", "add", "--platform", "douyin", *words, "bridge")).group()


def granted(base, key, trusted, packs=50, seconds=30):
    """Waits until the server granted the stream its packs."""
    asked = urllib.request.Request(f"{base}/v1/pools", headers={"Authorization": f"Bearer {key}"})
    for _ in range(seconds * 10):
        pools = json.load(urllib.request.urlopen(asked, context=trusted))["pools"]
        if any(pool["pool"] == "autumn" and pool["granted"] == packs for pool in pools):
            return
        time.sleep(0.1)
    raise AssertionError(f"{packs} packs were not granted: {pools}")


def asked(base, key, trusted, path, body, kind):
    """Posts; gives what is answered."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": kind}
    request = urllib.request.Request(f"{base}{path}", data=body, headers=headers)
    return json.load(urllib.request.urlopen(request, context=trusted))


HEADS = "主订单编号,子订单编号,商品数量,商家编码,订单应付金额,订单提交时间,订单状态"
ROWS = [
    f"{HEADS}\n70{at},70{at},{packs},{code},39.90,2026-11-20 20:00:00,{state}\n"
    for at, packs, code, state in ((1, 2, "XM-05", "待发货"), (2, 0, "XM-05", "待发货"), (3, 1, "HT-1", "已完成"), (4, 1, "XM-05", "?"))
]


def called(description, base, key, trusted):
    """What the description says of `/v1`, with things that are there among those that can be: else nearly all that is asked for is
    missing, and nearly all that is brought is refused."""
    hook = json.dumps({"url": "http://127.0.0.1:9/", "events": ["order.changed"]}).encode()
    hooks = [asked(base, key, trusted, "/v1/webhooks", hook, "application/json")["id"] for _ in range(9)]
    path = "/v1/imports?file_name=a.csv"
    files = [asked(base, key, trusted, path, row.encode(), "application/octet-stream")["id"] for row in ROWS]
    ids = {"webhooks": hooks, "imports": files, "orders": ["6912345678901234567", "cart-4711"], "holds": ["cart-4711"]}
    there = {"platform": ["douyin"], "code": ["autumn"], "file_name": ["orders_20261120.csv"]}
    values = {"sku": ["XM-05"], "pool": ["autumn", "douyin"], "url": ["http://127.0.0.1:9/"]}

    def among(shape, known):
        return {"anyOf": [{"enum": known}, shape]}

    def fill(shape):
        """The same with values that hold for texts that have a form."""
        if isinstance(shape, list):
            return [fill(each) for each in shape]
        if not isinstance(shape, dict):
            return shape
        filled = {name: fill(each) for name, each in shape.items()}
        if shape.get("format") == "date-time":
            return among(filled, ["2026-11-20T08:00:00Z", "2026-11-21T16:00:00+08:00"])
        for name, known in values.items():
            if name in (shape.get("properties") or {}):
                filled["properties"][name] = among(filled["properties"][name], known)
        return filled

    paths = {path: methods for path, methods in description["paths"].items() if path.startswith("/v1/")}
    for path, methods in paths.items():
        own = {**there, "id": ids.get(path.split("/")[2], [])}
        for method in methods.values():
            for parameter in method.get("parameters", []):
                if own.get(parameter["name"]):
                    parameter["schema"] = among(parameter["schema"], own[parameter["name"]])
    body = paths["/v1/imports"]["post"]["requestBody"]["content"]["application/octet-stream"]
    body["schema"] = among(body["schema"], ROWS)
    told = {"OrdersTold", "OrderTold", "LineTold", "ReceiverTold", "CancelTold", "Wanted", "WebhookSet"}
    shapes = {name: fill(shape) if name in told else shape for name, shape in description["components"]["schemas"].items()}
    return {**description, "paths": paths, "components": {**description["components"], "schemas": shapes}}
