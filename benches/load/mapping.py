"""The bench's four operations in the product's words, and the product's answers in the bench's.

The bench counts in whole numbers and cents; the product has typed ids (`veh_…`) and Money. Nothing is left out of a
comparison but what is named here:
- a preference's weight (1 to 10) becomes an importance (8 and more MUST, 4 and more SHOULD);
- the states of quotes and deals have the product's names; a lender's answer to a quote (APPROVED, COUNTER, PENDING) has no
  counterpart yet, all are QUOTED;
- an insurance plan's name and coverage have no counterpart, the carrier has;
- `dealStructure` asks for the version the tablet saw, so the driver remembers each deal's.
"""
import re

ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
BODY = {'TRUCK': 'PICKUP'}


def typed_id(prefix, kind, number):
    """`prefix_…` of the UUID that app.pid(kind, number) makes in seed.sql."""
    bits = (kind << 96) | (0x7000 << 64) | (0x8000 << 48) | number
    digits = ''
    for _ in range(26):
        digits = ALPHABET[bits & 31] + digits
        bits >>= 5
    return f'{prefix}_{digits}'


def number(text):
    """The whole number in such an id."""
    bits = 0
    for digit in text.split('_')[1]:
        bits = bits << 5 | ALPHABET.index(digit)
    return bits & 0xFFFFFFFFFFFF


def cents(money):
    return None if money is None else round(float(money['amount']) * 100)


def importance(weight):
    return 'MUST' if weight >= 8 else 'SHOULD' if weight >= 4 else 'NICE'


# --- variables: the bench's → the product's

def variables(query, v):
    if query == 1:
        return {'storeId': typed_id('sto', 2, v['dealerId']), 'make': v['make'], 'bodyStyle': BODY.get(v['bodyStyle'], v['bodyStyle']),
                'maxPrice': {'amount': f"{v['maxPriceCents'] / 100:.2f}", 'currency': 'USD'}}
    if query == 2:
        return {'id': typed_id('cus', 5, v['id'])}
    if query == 3:
        return {'id': typed_id('deal', 12, v['id'])}
    return {'dealId': typed_id('deal', 12, v['dealId']), 'down': {'amount': f"{v['downPaymentCents'] / 100:.2f}", 'currency': 'USD'},
            'key': v['idempotencyKey'], 'version': '__VERSION__'}


# --- answers, both in one shape

def only(value, *names):
    return {name: value[name] for name in names}


def floor(query, data):
    if query == 1:
        page = data['inventory']
        for car in page['items']:
            car['bodyStyle'] = BODY.get(car['bodyStyle'], car['bodyStyle'])
            car['photos'] = [photo['url'] for photo in car['photos']]
        return page
    if query == 2:
        c = data['customer']
        for event in c['recentEvents']:
            event['occurredAt'] = event['occurredAt'].replace('+00:00', 'Z')
            event['kind'] = {'VIEW': 'VIEWED', 'SAVE': 'SAVED', 'COMPARE': 'COMPARED'}.get(event['kind'], 'PAYMENT_CALCULATED')
        for deal in c['openDeals']:
            deal['status'] = 'WORKSHEET'
        return dict(c, preferences=[wish(p) for p in c['preferences']])
    deal = data['deal']
    deal['status'] = {'OPEN': 'WORKSHEET', 'SOLD': 'DELIVERED'}.get(deal['status'], deal['status'])
    deal['customer']['preferences'] = [wish(p) for p in deal['customer']['preferences']]
    for quote in deal['financeQuotes']:
        quote['status'] = 'QUOTED'
    for quote in deal['insuranceQuotes']:
        quote['product'] = quote['product']['carrier']
    for sold in deal['products']:
        category = sold['product']['category']
        sold['product']['category'] = {'VSC': 'SERVICE_CONTRACT', 'TIRE': 'TIRE_AND_WHEEL', 'PREPAID_MAINT': 'MAINTENANCE'}.get(category, category)
    del deal['version']  # grows at another pace in the two: each was written to by its own runs
    del deal['downPaymentCents'], deal['amountFinancedCents']
    return deal


def wish(p):
    body = p['kind'] == 'BODY'
    return ('BODY_STYLE' if body else 'MONTHLY_PAYMENT', BODY.get(p['value'], p['value']) if body else f"{p['maxPaymentCents'] / 100:.2f}", importance(p['weight']))
