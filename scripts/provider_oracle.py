"""Runs the vendors' SDKs against a server that records what they send; see scripts/provider-oracle."""

import datetime
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

folder = Path(sys.argv[1])
NOW = 1795312800  # 2026-11-22T02:00:00Z
PHONE = "+8613800138000"
COPY = {"product": "稳健理财 90天", "date": "12月1日"}
ID = "msg_0123456789abcdef0123456789abcdef"
ANSWERS = {
    "/cgi-bin/token": {"access_token": "ACCESS-TOKEN", "expires_in": 7200},
    "/cgi-bin/gettoken": {"errcode": 0, "errmsg": "ok", "access_token": "ACCESS-TOKEN", "expires_in": 7200},
    "/oauth": {"access_token": "ACCESS-TOKEN", "expires_in": 3599, "token_type": "Bearer"},
    "/v3/push/cid": {"cidlist": ["7d431e42dfa6a6d693ac2d04-128eeb45-471c-49f3-b442-a05c20c9ed56"]},
}
seen = []


class Recorder(BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        for noise in ("accept-encoding", "connection", "content-length", "x-twilio-client", "x-tc-traceid"):
            headers.pop(noise, None)
        seen.append({"method": self.command, "path": path, "query": query, "headers": headers, "body": body})
        default = {"Code": "OK", "errcode": 0, "Response": {"SendStatusSet": [{"Code": "Ok"}], "RequestId": "r"},
                   "sid": "SM1", "name": "projects/p/messages/1", "msg_id": "1", "sendno": "0"}
        text = json.dumps(ANSWERS.get(path, default)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


# A fixed port, so that a signature over `Host` is the same in every run.
server = ThreadingHTTPServer(("127.0.0.1", 47171), Recorder)
threading.Thread(target=server.serve_forever, daemon=True).start()
HOST = "127.0.0.1:47171"
URL = f"http://{HOST}"


def record(name, sdk, call):
    seen.clear()
    call()
    text = json.dumps({"sdk": sdk, "requests": seen}, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / f"{name}.json").write_text(text + "\n")
    print(f"{name}: {len(seen)} requests of {sdk}")


def aliyun():
    from alibabacloud_dysmsapi20170525.client import Client
    from alibabacloud_dysmsapi20170525.models import SendSmsRequest
    from alibabacloud_tea_openapi.utils import Utils
    from alibabacloud_tea_openapi.utils_models import Config

    config = Config(access_key_id="LTAI5tTestKey", access_key_secret="aliyun-test-secret", endpoint=HOST, protocol="http")
    request = SendSmsRequest(phone_numbers=PHONE, sign_name="示例银行", template_code="SMS_154950909",
                             template_param=json.dumps(COPY, ensure_ascii=False, separators=(",", ":")), out_id=ID)
    date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW))
    with mock.patch.object(Utils, "get_timestamp", lambda *_: date), mock.patch.object(Utils, "get_nonce", lambda *_: "a" * 32):
        Client(config).send_sms(request)


def tencent():
    from tencentcloud.common import credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.sms.v20210111 import models, sms_client

    profile = ClientProfile(httpProfile=HttpProfile(endpoint=HOST, protocol="http"))
    client = sms_client.SmsClient(credential.Credential("AKIDtestkey", "tencent-test-secret"), "ap-guangzhou", profile)
    request = models.SendSmsRequest()
    request.from_json_string(json.dumps({
        "PhoneNumberSet": [PHONE], "SmsSdkAppId": "1400006666", "TemplateId": "449739", "SignName": "示例银行",
        "TemplateParamSet": list(COPY.values()), "SessionContext": ID}))
    with mock.patch("time.time", lambda: NOW):
        client.SendSms(request)


def twilio():
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    class Local(TwilioHttpClient):
        def request(self, method, url, *args, **kwargs):
            return super().request(method, url.replace("https://api.twilio.com", URL), *args, **kwargs)

    client = Client("AC00000000000000000000000000000001", "twilio-test-secret", http_client=Local())
    client.messages.create(to=PHONE, from_="+12025550123", body="您的稳健理财 90天将于12月1日到期 & more+",
                           status_callback="https://bank.example/v1/receipts/twilio")


def fcm():
    import firebase_admin
    from firebase_admin import credentials, messaging
    from google.auth import _helpers

    account = json.loads((folder / "service_account.json").read_text())
    account["token_uri"] = f"{URL}/oauth"
    now = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc).replace(tzinfo=None)
    with mock.patch.object(messaging._MessagingService, "FCM_URL", URL + "/v1/projects/{0}/messages:send"), \
            mock.patch.object(_helpers, "utcnow", lambda: now):
        firebase_admin.initialize_app(credentials.Certificate(account))
        messaging.send(messaging.Message(
            token="device-token-1",
            notification=messaging.Notification(title="到期提醒", body="您的稳健理财 90天将于12月1日到期"),
            data={"message": ID, "link": "app://holding"},
            android=messaging.AndroidConfig(notification=messaging.AndroidNotification(tag=ID)),
            apns=messaging.APNSConfig(headers={"apns-collapse-id": ID})))


def jpush():
    import jpush as sdk
    from jpush import common

    with mock.patch.dict(common.ZONES["DEFAULT"], PUSH=f"{URL}/v3/"):
        push = sdk.JPush("7d431e42dfa6a6d693ac2d04", "jpush-test-secret").create_push()
        push.cid = push.get_cid(1, "push").payload["cidlist"][0]
        push.audience = sdk.audience(sdk.registration_id("1507bfd3f7c466c2e1b"))
        push.platform = sdk.all_
        alert, extras = "您的稳健理财 90天将于12月1日到期", {"message": ID, "link": "app://holding"}
        push.notification = sdk.notification(
            android=sdk.android(alert=alert, title="到期提醒", extras=extras),
            ios=sdk.ios(alert={"title": "到期提醒", "body": alert}, extras=extras))
        push.options = {"apns_production": True}
        push.send()


def wechat():
    from wechatpy import WeChatClient

    class Local(WeChatClient):
        API_BASE_URL = f"{URL}/cgi-bin/"

        def fetch_access_token(self):
            return self._fetch_access_token(url=f"{URL}/cgi-bin/token", params={
                "grant_type": "client_credential", "appid": self.appid, "secret": self.secret})

    client = Local("wx0000000000000001", "wechat-test-secret")
    data = {"thing1": {"value": COPY["product"]}, "time2": {"value": COPY["date"]}}
    client.message.send_template("oOpenId1", "TEMPLATE-1", data, url="https://bank.example/h")


def wecom():
    from wechatpy.work import WeChatClient

    class Local(WeChatClient):
        API_BASE_URL = f"{URL}/cgi-bin/"

        def fetch_access_token(self):
            return self._fetch_access_token(url=f"{URL}/cgi-bin/gettoken", params={
                "corpid": self.corp_id, "corpsecret": self.secret})

    client = Local("ww0000000000000001", "wecom-test-secret")
    client.external_contact.add_msg_template({
        "chat_type": "single", "external_userid": ["woExternal1"], "sender": "zhangsan",
        "text": {"content": "您的稳健理财 90天将于12月1日到期"},
        "attachments": [{"msgtype": "link", "link": {"title": "到期提醒", "url": "https://bank.example/h"}}]})


if sys.argv[2:] == ["wecom"]:
    record("wecom_customer", "wechatpy 2.0.0a26", wecom)
else:
    record("aliyun_sms", "alibabacloud_dysmsapi20170525 4.6.0", aliyun)
    record("tencent_sms", "tencentcloud-sdk-python-sms 3.1.153", tencent)
    record("twilio", "twilio 9.13.0", twilio)
    record("fcm", "firebase-admin 7.7.0", fcm)
    record("jpush", "jpush 3.4.1", jpush)
    record("wechat_template", "wechatpy 1.8.18", wechat)
server.shutdown()
