"""A mail server for tests: aiosmtpd on a loopback port. Prints its port, then one JSON line for each mail it took.

The addressee says how it behaves: `busy@` 451 at RCPT, `nobody@` 550 at RCPT, `lost@` takes the mail and hangs up without an
answer, `full@` 452 after the mail, `spam@` 554 after the mail, `slow@` takes it and does not answer. Arguments: `plain`,
`starttls` or `implicit`, then certificate and key, then a password that `wayfare` must give ("" for none).
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

mode, certificate, key, password = sys.argv[1:5]


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        refused = {"busy": "451 4.7.1 later", "nobody": "550 5.1.1 no such user"}.get(address.split("@")[0])
        if refused:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        to = envelope.rcpt_tos[0].split("@")[0]
        if to in ("full", "spam"):
            return {"full": "452 4.2.2 mailbox full", "spam": "554 5.7.1 not here"}[to]
        mail = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None or mode == "implicit",
                "user": session.auth_data.decode() if session.authenticated else None,
                "mail": envelope.content.decode()}
        print(json.dumps(mail), flush=True)
        if to == "lost":
            server.transport.abort()
            await asyncio.sleep(1)
        if to == "slow":
            await asyncio.sleep(60)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == b"wayfare" and data.password == password.encode()
    return AuthResult(success=good, auth_data=data.login) if good else AuthResult(success=False, handled=False)


async def main():
    tls = None
    if mode != "plain":
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate, key)

    def session():
        options = {"authenticator": authenticate, "auth_required": True} if password else {}
        if mode == "starttls":
            options |= {"tls_context": tls, "require_starttls": True}
        elif password:
            options |= {"auth_require_tls": False}
        return SMTP(Handler(), hostname="mail.test", enable_SMTPUTF8=True, **options)

    server = await asyncio.get_running_loop().create_server(
        session, "127.0.0.1", 0, ssl=tls if mode == "implicit" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Ends with whoever started us.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    sys.exit(0)


asyncio.run(main())
