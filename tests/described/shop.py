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


def called(description):
    """What the description says of `/v1`, with names of things that are there among those that can be: else nearly all that is asked
    for is missing."""
    there = {"platform": ["douyin"], "code": ["autumn"], "id": ["6912345678901234567", "cart-4711"], "file_name": ["orders_20261120.csv"]}
    paths = {path: methods for path, methods in description["paths"].items() if path.startswith("/v1/")}
    for methods in paths.values():
        for method in methods.values():
            for parameter in method.get("parameters", []):
                names = there.get(parameter["name"])
                if names:
                    parameter["schema"] = {"anyOf": [{"enum": names}, parameter["schema"]]}
    heads = "主订单编号,子订单编号,商品数量,商家编码,订单应付金额,订单提交时间,订单状态"
    rows = [f"{heads}\n70{at},70{at},{packs},XM-05,39.90,2026-11-20 20:00:00,{state}\n" for at, packs, state in
            ((1, 2, "待发货"), (2, 0, "待发货"), (3, 1, "已完成"), (4, 1, "nothing"))]
    body = paths["/v1/imports"]["post"]["requestBody"]["content"]["application/octet-stream"]
    body["schema"] = {"anyOf": [{"enum": rows}, body["schema"]]}
    return {**description, "paths": paths}
