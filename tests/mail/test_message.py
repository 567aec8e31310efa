"""What is on the envelope: from us, to one person, the same bytes each time."""

from email.headerregistry import Address

import pytest

from cop.mail.errors import PermanentError
from tests.mail.messages import ADA, CALENDAR, a_mail, an_envelope, read, recipients, text_of
from tests.mail.messages import SENDER as US

UNSUBSCRIBE = f"https://cop.example.org/unsubscribe/{'t0ken-' * 40}"


def on_the_wire(**values):
    return read(an_envelope(**values).as_bytes())


def test_a_mail_says_from_whom_it_is_and_that_nobody_wrote_it():
    mail = on_the_wire(reply_to="corin@example.org")

    assert mail["From"] == "Equity in Data <no-reply@cop.example.org>"
    assert mail["To"] == "Ada Lovelace <ada@example.org>"
    assert mail["Reply-To"] == "corin@example.org"
    assert mail["Subject"] == "You are registered: December 15"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert mail["Content-Language"] == "en"


def test_the_text_comes_before_the_html():
    mail = on_the_wire(text="Hola, señora\n.\nFrom here\n", html="<p>Señora</p>", language="es")

    text, html = mail.iter_parts()
    assert mail.get_content_type() == "multipart/alternative"
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text_of(text) == "Hola, señora\n.\nFrom here\n"
    assert text_of(html) == "<p>Señora</p>\n"
    assert mail["Content-Language"] == "es"


def test_a_calendar_is_attached_as_what_is_published_and_asks_for_no_answer():
    mail = on_the_wire(calendar=CALENDAR)

    texts, calendar = mail.iter_parts()
    assert mail.get_content_type() == "multipart/mixed"
    assert texts.get_content_type() == "multipart/alternative"
    assert calendar.get_content_type() == "text/calendar"
    assert calendar["Content-Type"].params == {"charset": "utf-8", "method": "PUBLISH"}
    assert calendar.get_filename() == "session.ics"
    assert calendar.get_payload(decode=True).decode() == CALENDAR
    assert (mail["Content-Language"], texts["Content-Language"]) == ("en", None)


def test_mail_that_can_be_stopped_says_how_in_one_whole_line():
    content = an_envelope(unsubscribe_url=UNSUBSCRIBE).as_bytes()

    assert f"\r\nList-Unsubscribe: <{UNSUBSCRIBE}>\r\n".encode() in content
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in content


def test_mail_that_cannot_be_stopped_does_not_say_so():
    mail = on_the_wire()

    assert "List-Unsubscribe" not in mail
    assert "List-Unsubscribe-Post" not in mail


def test_a_mail_that_is_sent_again_is_the_same_mail():
    first, again = (an_envelope(calendar=CALENDAR).as_bytes() for _ in range(2))
    mail = read(first)

    assert first == again
    assert mail["Message-ID"] == "<0f1e2d3c4b5a69788796a5b4c3d2e1f0@cop.example.org>"
    assert mail["Date"] == "Tue, 01 Dec 2026 16:30:00 +0000"


def test_another_mail_has_another_message_id_and_other_boundaries():
    mail, other = on_the_wire(), on_the_wire(message_id="another")

    assert mail["Message-ID"] != other["Message-ID"]
    assert mail.get_boundary() != other.get_boundary()


def test_lines_are_as_short_as_servers_want_them_whatever_the_text():
    long = {"text": "x" * 5000 + "\rq\n" + "ü" * 3000, "html": f"<p>{'é' * 9000}</p>"}

    content = an_envelope(subject="ñ" * 400, calendar="x" * 4000, **long).as_bytes()

    assert content.isascii()
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")


@pytest.mark.parametrize(
    ("subject", "read_as"),
    [
        ("Moved\r\nBcc: mallory@example.org", "Moved Bcc: mallory@example.org"),
        ("=?utf-8?q?x=0ABcc:_mallory@x.org?=", "= ?utf-8?q?x=0ABcc:_mallory@x.org?="),
        ("The day after\u2028tomorrow\x00", "The day after tomorrow"),
        ("Q&A: “who counts?” – 你好 🎉", "Q&A: “who counts?” – 你好 🎉"),
    ],
    ids=["line breaks", "an encoded line break", "other breaks", "other scripts"],
)
def test_a_subject_is_one_line(subject, read_as):
    mail = on_the_wire(subject=subject)

    assert mail["Subject"] == read_as
    assert "Bcc" not in mail


@pytest.mark.parametrize(
    ("name", "read_as"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("María José Ñuñez", "María José Ñuñez"),
        ("O'Neil-Smith", "O'Neil-Smith"),
        ("Dr. J. Q. Public", "Dr. J. Q. Public"),
        ("علي 👩‍💻", "علي 👩‍💻"),
        ("Lovelace, Ada (CT)", "Lovelace Ada CT"),
        ("Ada\u202egro.elpmaxe@", "Ada gro.elpmaxe"),
        ("A" * 200, "A" * 60),
        ("", ""),
    ],
    ids=["plain", "Spanish", "Irish", "with dots", "emoji", "specials", "bidi", "long", "none"],
)
def test_a_name_is_shown_as_it_is_without_what_could_mean_something_else(name, read_as):
    [address] = on_the_wire(name=name)["To"].addresses

    assert (address.display_name, address.addr_spec) == (read_as, ADA)


def test_a_domain_of_any_script_is_written_in_ascii():
    mail = on_the_wire(to="ada@bücher.example")

    assert recipients(mail) == ["ada@xn--bcher-kva.example"]


def test_an_address_beyond_ascii_is_written_as_it_is():
    content = an_envelope(to="ünal@bücher.example", name="Ünal").as_bytes()

    assert "\r\nTo: Ünal <ünal@xn--bcher-kva.example>\r\n".encode() in content


@pytest.mark.parametrize(
    "address",
    [
        "", "ada", "@example.org", "ada@", "ada@example.org, mallory@example.org",
        "ada@example.org\r\nBcc: mallory@example.org", "ada@example.org mallory@example.org",
        "Ada <ada@example.org>", '"ada@example.org, x"@example.org', "ada@example..org",
        "ada@example.org>", "ada\x00@example.org", "a@b@example.org",
        "=?utf-8?q?grace?=@example.org", "=?utf-8?q?x=40evil.example=2C_ada?=@example.org",
    ],
)  # fmt: skip
def test_what_is_not_an_address_is_refused_for_good(address):
    with pytest.raises(PermanentError) as refusal:
        an_envelope(to=address)

    assert refusal.value.is_address_fault
    assert refusal.value.server_reply == "The mail is addressed to what is not an email address."


@pytest.mark.parametrize("contact", [None, "", "not an address", "ünal@example.org"])
def test_a_contact_that_not_every_mail_can_name_is_left_out(contact):
    assert "Reply-To" not in on_the_wire(reply_to=contact)


def test_a_hostile_name_of_ours_stays_a_name_too():
    sender = Address("CTData, x@example.org", "no-reply", "cop.example.org")

    [address] = on_the_wire(sender=sender)["From"].addresses

    assert address.addr_spec == US.addr_spec


def test_a_mail_of_the_outbox_is_left_as_it_is():
    mail = a_mail(name="Ada\nLovelace")

    an_envelope(name="Ada\nLovelace")

    assert mail.to_name == "Ada\nLovelace"
