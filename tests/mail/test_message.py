"""The MIME message of an email: safe headers, one recipient, the same bytes each time."""

from email.headerregistry import Address

import pytest

from cop.mail.errors import PermanentError
from tests.mail.messages import ADA, CALENDAR, a_message, read, recipients, text_of
from tests.mail.messages import SENDER as US

UNSUBSCRIBE = f"https://cop.example.org/unsubscribe/{'t0ken-' * 40}"


def built(**values):
    return read(a_message(**values).as_bytes())


def test_headers_name_the_sender_and_mark_the_email_as_automatic():
    mail = built(reply_to="corin@example.org")

    assert mail["From"] == "Equity in Data <no-reply@cop.example.org>"
    assert mail["To"] == "Ada Lovelace <ada@example.org>"
    assert mail["Reply-To"] == "corin@example.org"
    assert mail["Subject"] == "You're registered for December 15"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert mail["Content-Language"] == "en"
    assert "List-Unsubscribe" not in mail
    assert "List-Unsubscribe-Post" not in mail


def test_the_text_part_comes_before_the_html_part():
    mail = built(text="Hola, señora\n.\nFrom here\n", html="<p>Señora</p>", language="es")

    text, html = mail.iter_parts()
    assert mail.get_content_type() == "multipart/alternative"
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text_of(text) == "Hola, señora\n.\nFrom here\n"
    assert text_of(html) == "<p>Señora</p>\n"
    assert mail["Content-Language"] == "es"


def test_a_calendar_is_attached_as_published_and_asks_for_no_reply():
    mail = built(calendar=CALENDAR)

    texts, calendar = mail.iter_parts()
    assert mail.get_content_type() == "multipart/mixed"
    assert texts.get_content_type() == "multipart/alternative"
    assert calendar.get_content_type() == "text/calendar"
    assert calendar["Content-Type"].params == {"charset": "utf-8", "method": "PUBLISH"}
    assert calendar.get_filename() == "session.ics"
    assert calendar.get_payload(decode=True).decode() == CALENDAR
    assert (mail["Content-Language"], texts["Content-Language"]) == ("en", None)


def test_a_calendar_that_cancels_says_so_in_its_type():
    mail = built(calendar=CALENDAR.replace("SUMMARY", "METHOD:CANCEL\r\nSUMMARY"))

    _, calendar = mail.iter_parts()
    assert calendar["Content-Type"].params["method"] == "CANCEL"


def test_an_unsubscribe_url_is_never_folded():
    content = a_message(unsubscribe_url=UNSUBSCRIBE).as_bytes()

    assert f"\r\nList-Unsubscribe: <{UNSUBSCRIBE}>\r\n".encode() in content
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in content


def test_every_attempt_sends_the_same_bytes_and_another_email_has_its_own_id_and_boundary():
    first, again = (a_message(calendar=CALENDAR).as_bytes() for _ in range(2))
    mail, other = read(first), built(calendar=CALENDAR, message_id="another")

    assert first == again
    assert mail["Message-ID"] != other["Message-ID"]
    assert mail.get_boundary() != other.get_boundary()
    assert mail["Message-ID"] == "<0f1e2d3c4b5a69788796a5b4c3d2e1f0@cop.example.org>"
    assert mail["Date"] == "Tue, 01 Dec 2026 16:30:00 +0000"


def test_no_line_is_longer_than_servers_accept():
    long = {"text": "x" * 5000 + "\rq\n" + "ü" * 3000, "html": f"<p>{'é' * 9000}</p>"}

    content = a_message(subject="ñ" * 400, calendar="x" * 4000, **long).as_bytes()

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
    mail = built(subject=subject)

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
def test_a_name_loses_only_characters_with_a_meaning_in_headers(name, read_as):
    [address] = built(name=name)["To"].addresses

    assert (address.display_name, address.addr_spec) == (read_as, ADA)


def test_a_domain_of_any_script_is_encoded_in_ascii_and_a_local_part_stays():
    mail = built(to="ada@bücher.example")
    content = a_message(to="ünal@bücher.example", name="Ünal").as_bytes()

    assert recipients(mail) == ["ada@xn--bcher-kva.example"]
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
def test_an_invalid_address_fails_for_good(address):
    with pytest.raises(PermanentError) as error:
        a_message(to=address)

    assert error.value.is_address_fault
    assert error.value.server_reply == "This is not a valid email address."


@pytest.mark.parametrize("contact", [None, "", "not an address", "ünal@example.org"])
def test_a_contact_that_not_every_email_can_name_is_left_out(contact):
    assert "Reply-To" not in built(reply_to=contact)


def test_the_community_s_name_cannot_add_an_address_either():
    sender = Address("CTData, x@example.org", "no-reply", "cop.example.org")

    [address] = built(sender=sender)["From"].addresses

    assert address.addr_spec == US.addr_spec
