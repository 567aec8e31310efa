"""A worker of its own whose clock runs fast, so that hours of waiting pass in seconds.

`python -m tests.processes.fast_worker DATABASE SMTP_URL BEGAN SPEED` delivers until nothing waits.
"""

import sys
import time
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from threading import Thread

from sqlalchemy import func, select

from cop import create_app
from cop.db.engine import read_tx
from cop.mail.smtp import SmtpTransport
from cop.models.email import MailState, OutboxEmail
from cop.operations.worker import DELIVERY_THREADS
from cop.outbox.delivery import Delivery
from cop.smtp_url import parse_server
from tests.builders import LINKS
from tests.conftest import settings_for

SENDER = Address("", "no-reply", "cop.example.org")
OPEN = (MailState.QUEUED, MailState.RETRYING, MailState.SENDING)


def main(database, smtp_url, began, speed):
    def clock():
        passed = time.time() - float(began)
        return datetime.fromtimestamp(float(began), UTC) + timedelta(seconds=passed * float(speed))

    def a_delivery():
        transport = SmtpTransport(parse_server(smtp_url), sender=SENDER)
        return Delivery(transport, SENDER, LINKS, clock)

    app = create_app(settings_for(database))
    threads = [Thread(target=_deliver, args=(app, a_delivery())) for _ in range(DELIVERY_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _deliver(app, delivery):
    with app.app_context():
        while _open():
            delivery.run()
            time.sleep(0.02)
    delivery.transport.close()


def _open():
    with read_tx() as db_session:
        query = select(func.count()).where(OutboxEmail.state.in_(OPEN))
        return db_session.scalar(query)


if __name__ == "__main__":
    main(*sys.argv[1:])
