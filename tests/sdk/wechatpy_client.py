"""wechatpy, unchanged, against a running demo:
REQUESTS_CA_BUNDLE=…/ca.pem python3 wechatpy_client.py DEMO_JSON
"""

import json
import sys
import time

from wechatpy.exceptions import WeChatPayException
from wechatpy.pay import WeChatPay

RUN = str(int(time.time() * 1000))


def client(demo, merchant):
    """A client as its documentation says; only the address is ours."""
    pay = WeChatPay(
        appid=merchant["appid"],
        api_key=merchant["v2_key"],
        mch_id=merchant["mch_id"],
        mch_cert=merchant["cert_pem"],
        mch_key=merchant["key_pem"],
    )
    pay.API_BASE_URL = demo["v2_base"] + "/"
    return pay


def texts():
    return {
        "send_name": "天虹咖啡",
        "act_name": "新年活动",
        "wishing": "恭喜发财 & <大吉大利>",
        "remark": "wechatpy",
        "client_ip": "127.0.0.1",
    }


def refused(code, call):
    try:
        call()
    except WeChatPayException as error:
        assert error.errcode == code, f"{error.errcode} instead of {code}"
        return
    raise AssertionError(f"{code} was expected")


def main(path):
    with open(path, encoding="utf-8") as file:
        demo = json.load(file)
    merchant = demo["merchants"][0]
    users = [user for user in demo["users"] if user["appid"] == merchant["appid"]]
    pay = client(demo, merchant)
    number = merchant["mch_id"] + RUN

    sent = pay.redpack.send(users[5]["openid"], 100, out_trade_no=number + "a", **texts())
    assert sent["result_code"] == "SUCCESS" and sent["mch_billno"] == number + "a", sent
    assert pay.redpack.query(number + "a")["status"] == "SENT"

    again = pay.redpack.send(users[5]["openid"], 100, out_trade_no=number + "a", **texts())
    assert again["send_listid"] == sent["send_listid"], again
    refused("FATAL_ERROR", lambda: pay.redpack.send(
        users[5]["openid"], 101, out_trade_no=number + "a", **texts()))
    refused("FATAL_ERROR", lambda: pay.redpack.send(
        users[6]["openid"], 100, out_trade_no=number + "a", **texts()))

    group = pay.redpack.send_group(
        users[6]["openid"], 900, total_num=3, out_trade_no=number + "b", **texts())
    assert group["total_num"] == "3" and group["total_amount"] == "900", group
    report = pay.redpack.query(number + "b")
    assert (report["hb_type"], report["status"]) == ("GROUP", "SENT"), report

    refused("NOT_FOUND", lambda: pay.redpack.query(number + "c"))
    refused("MONEY_LIMIT", lambda: pay.redpack.send(
        users[5]["openid"], 20001, out_trade_no=number + "d", **texts()))
    refused("OPENID_ERROR", lambda: pay.redpack.send(
        "oNobody", 100, out_trade_no=number + "e", **texts()))
    wrong = client(demo, {**merchant, "v2_key": "0" * 32})
    refused("SIGN_ERROR", lambda: wrong.redpack.query(number + "a"))
    other = client(demo, {**merchant, "mch_id": demo["merchants"][1]["mch_id"]})
    refused("CA_ERROR", lambda: other.redpack.query(number + "a"))
    print("wechatpy: 12 calls went as they should")


main(sys.argv[1])
