import datetime

from standardwebhooks import Webhook

from bench.webhooks import Door, escalations

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLw=="
DOOR = Door(port=8000, path="/webhooks/v1/abc", secret=SECRET)


def test_the_standard_library_of_the_recipe_verifies_what_is_sent() -> None:
    now = datetime.datetime.now(datetime.UTC)
    [sent] = escalations(DOOR, bot_id="bot_1", prefix="conv-", count=1, now=now)
    head, body = sent.request.split(b"\r\n\r\n", 1)
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])

    event = Webhook(SECRET).verify(body, headers)

    assert event["type"] == "conversation.human_requested"
    assert event["data"]["conversation"]["id"] == sent.conversation_id


def test_no_two_webhooks_are_about_the_same_conversation() -> None:
    now = datetime.datetime.now(datetime.UTC)
    sent = escalations(DOOR, bot_id="bot_1", prefix="conv-", count=20, now=now)
    assert len({each.conversation_id for each in sent}) == 20
