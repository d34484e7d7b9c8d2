"""Talks to the fake Stripe with Stripe's own SDK: what the fake says must be what the SDK understands.

Usage: talk.py CHECK URL KEY [ARGUMENT...]
"""

import json
import sys
import time

import requests
import stripe


def client(url, key):
    return stripe.StripeClient(key, base_addresses={"api": url}, max_network_retries=0)


def page_params(amount=1050, quantity=2):
    return {
        "mode": "payment",
        "payment_method_types": ["card"],
        "client_reference_id": "TK-7F3K-9QXM",
        "metadata": {"payment": "7"},
        "payment_intent_data": {"metadata": {"payment": "7"}},
        "expires_at": int(time.time()) + 2100,
        "success_url": "https://example.org/?paid=1",
        "cancel_url": "https://example.org/?back=1",
        "line_items": [
            {
                "quantity": quantity,
                "price_data": {"currency": "usd", "unit_amount": amount, "product_data": {"name": "VIP"}},
            }
        ],
    }


def refused(kind, code, act):
    try:
        act()
    except kind as error:
        assert error.code == code, error.code
        return error
    raise AssertionError(f"not refused: {kind}")


def paying(api, _):
    sessions, params = api.v1.checkout.sessions, page_params()
    made = sessions.create(params=params, options={"idempotency_key": "first"})
    assert isinstance(made, stripe.checkout.Session), type(made)
    assert (made.status, made.payment_status, made.amount_total) == ("open", "unpaid", 2100), made
    assert made.client_reference_id == "TK-7F3K-9QXM" and made.livemode is False and made.url
    again = sessions.create(params=params, options={"idempotency_key": "first"})
    assert again.id == made.id and again.last_response.headers["Idempotent-Replayed"] == "true"
    other = {"params": page_params(1051), "options": {"idempotency_key": "first"}}
    refused(stripe.IdempotencyError, None, lambda: sessions.create(**other))
    early = {**page_params(), "expires_at": int(time.time()) + 60}
    error = refused(stripe.InvalidRequestError, None, lambda: sessions.create(params=early))
    assert error.param == "expires_at", error.param
    small = {"params": page_params(1, 1), "options": {"idempotency_key": "small"}}
    refused(stripe.InvalidRequestError, "amount_too_small", lambda: sessions.create(**small))
    assert requests.post(made.url, data={"action": "decline"}, timeout=10).status_code == 200
    expand = {"expand": ["payment_intent.latest_charge.balance_transaction"]}
    declined = sessions.retrieve(made.id, params=expand)
    assert declined.payment_intent.last_payment_error.decline_code == "insufficient_funds"
    answer = requests.post(made.url, data={"action": "pay"}, allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["location"]) == (303, "https://example.org/?paid=1")
    paid = sessions.retrieve(made.id, params=expand)
    charge = paid.payment_intent.latest_charge
    assert isinstance(charge, stripe.Charge) and isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert (paid.status, paid.payment_status, charge.balance_transaction.fee) == ("complete", "paid", 90)
    assert charge.payment_method_details.card.last4 == "4242"
    refused(stripe.InvalidRequestError, None, lambda: sessions.expire(made.id))
    second = sessions.create(params=params)
    assert sessions.expire(second.id).status == "expired"
    refused(stripe.InvalidRequestError, "resource_missing", lambda: sessions.retrieve("cs_test_none"))
    refund(api, paid.payment_intent.id)
    print(made.id)


def refund(api, intent):
    refunds = api.v1.refunds
    part = {"payment_intent": intent, "amount": 1050, "metadata": {"refund": "3"}}
    done = refunds.create(params=part, options={"idempotency_key": "refund"})
    assert isinstance(done, stripe.Refund) and (done.status, done.amount) == ("succeeded", 1050)
    assert refunds.create(params=part, options={"idempotency_key": "refund"}).id == done.id
    too_much = {"payment_intent": intent, "amount": 1051}
    refused(stripe.InvalidRequestError, "amount_too_large", lambda: refunds.create(params=too_much))
    refunds.create(params={"payment_intent": intent, "amount": 1050})
    refused(stripe.InvalidRequestError, "charge_already_refunded", lambda: refunds.create(params=too_much))
    listed = list(refunds.list(params={"payment_intent": intent, "limit": 100}).auto_paging_iter())
    assert len(listed) == 2 and listed[1].metadata["refund"] == "3", listed
    assert refunds.retrieve(done.id).id == done.id
    kinds = ["checkout.session.completed", "charge.refunded"]
    events = api.v1.events.list(params={"types": kinds, "created": {"gte": int(time.time()) - 60}, "limit": 2})
    found = [event.type for event in events.auto_paging_iter()]
    assert sorted(found) == ["charge.refunded"] * 2 + ["checkout.session.completed"], found


def disputed(api, arguments):
    dispute = api.v1.disputes.retrieve(arguments[0])
    assert isinstance(dispute, stripe.Dispute) and dispute.status == "needs_response", dispute


def limited(api, _):
    list_events = api.v1.events.list
    list_events()
    refused(stripe.RateLimitError, None, list_events)


def stranger(api, _):
    refused(stripe.AuthenticationError, None, api.v1.events.list)


def signatures(_, arguments):
    """Checks what this site has signed, and signs the same payloads itself."""
    secret, signed = arguments[0], json.loads(arguments[1])
    for payload, header, is_ours in signed:
        try:
            stripe.WebhookSignature.verify_header(payload, header, secret, tolerance=300)
            assert is_ours, ("it was not to be believed", payload, header)
        except stripe.SignatureVerificationError as error:
            assert not is_ours, (error, payload, header)
    now = int(time.time())
    own = stripe.WebhookSignature._compute_signature
    headers = [f"t={now},v1={own(f'{now}.{payload}', secret)}" for payload, _, is_ours in signed if is_ours]
    print(json.dumps(headers))


if __name__ == "__main__":
    check, url, key, *rest = sys.argv[1:]
    globals()[check](client(url, key), rest)
