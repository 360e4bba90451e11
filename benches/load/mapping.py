"""The bench's four operations in the product's words, and the product's answers in the bench's.

The bench counts in whole numbers and cents; the product has typed ids (`veh_…`) and Money. Nothing is left out of a
comparison but what is named here:
- a preference's weight (1 to 10) becomes an importance (8 and more MUST, 4 and more SHOULD);
- the states of quotes and deals have the product's names; a lender's answer to a quote (APPROVED, COUNTER, PENDING) has no
  counterpart yet, all are QUOTED;
- an insurance plan's name and coverage have no counterpart, the carrier has;
- after a write the floor says price + tax + fees - money down; the product calculates the whole deal again, with its products,
  its trade-in and the payment of the best program, so the amount financed is not compared;
- `dealStructure` asks for the version the tablet saw, so the driver remembers each deal's.
"""
import json

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
                'maxPrice': f"{v['maxPriceCents'] / 100:.2f}"}
    if query == 2:
        return {'id': typed_id('cus', 5, v['id'])}
    if query == 3:
        return {'id': typed_id('deal', 12, v['id'])}
    return {'dealId': typed_id('deal', 12, v['dealId']), 'down': f"{v['downPaymentCents'] / 100:.2f}",
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
            del deal['version'], deal['downPaymentCents']  # see below
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


def car(v):
    """A vehicle in the bench's names, with what was selected."""
    names = {'stockNumber': 'stockNo', 'modelYear': 'year', 'odometerMiles': 'mileage', 'price': 'priceCents', 'msrp': 'msrpCents', 'store': 'dealer'}
    out = {names.get(name, name): value for name, value in v.items()}
    out['id'] = number(v['id'])
    for name in ('priceCents', 'msrpCents'):
        if name in out:
            out[name] = cents(out[name])
    if 'dealer' in out:
        out['dealer'] = {'id': number(v['store']['id']), 'name': v['store']['name']}
    if 'photos' in out:
        out['photos'] = [photo['url'] for photo in v['photos']]
    return out


def person(c):
    out = only(c, 'email', 'phone', 'creditTier')
    out |= {'id': number(c['id']), 'firstName': c['givenName'], 'lastName': c['familyName']}
    out['preferences'] = [(p['attribute'], p['value'], p['importance']) for p in c['preferences']]
    return out


def product(query, data):
    """The product's answer as `floor` shapes the floor's."""
    if query == 1:
        page = data['vehicles']
        return {'totalCount': page['totalCount'], 'items': [car(v) for v in page['nodes']]}
    if query == 2:
        c = data['customer']
        out = person(c) | only(c, 'city', 'state')
        out['recentEvents'] = [{'kind': e['kind'], 'durationS': e['durationSeconds'], 'occurredAt': e['occurredAt'].replace('+00:00', 'Z'),
                                'vehicle': car(e['vehicle'])} for e in c['recentEvents']]
        out['openDeals'] = sorted(({'id': number(d['id']), 'status': d['state'], 'salePriceCents': cents(d['price']), 'termMonths': d['termMonths'],
                                    'vehicle': car(d['vehicle'])} for d in c['openDeals']), key=lambda d: d['id'])
        return out
    d = data['deal']
    return {
        'id': number(d['id']), 'status': d['state'], 'salesperson': d['salesperson']['displayName'], 'salePriceCents': cents(d['price']),
        'taxCents': cents(d['tax']), 'feesCents': cents(d['fees']), 'termMonths': d['termMonths'],
        'customer': person(d['customer']), 'vehicle': car(d['vehicle']),
        'financeQuotes': sorted(({'id': number(q['id']), 'termMonths': q['termMonths'], 'aprBps': round(float(q['apr']) * 100),
                                  'paymentCents': cents(q['payment']), 'status': q['status'], 'program': q['program']} for q in d['financeQuotes']),
                                key=lambda q: q['id']),
        'insuranceQuotes': sorted(({'id': number(q['id']), 'monthlyPremiumCents': cents(q['monthlyPremium']), 'termMonths': q['termMonths'],
                                    'product': q['insurer']['name']} for q in d['insuranceQuotes']), key=lambda q: q['id']),
        'tradeIn': next(({'year': t['modelYear'], 'make': t['make'], 'model': t['model'], 'mileage': t['odometerMiles'],
                          'allowanceCents': cents(t['allowance']), 'payoffCents': cents(t['payoff'])} for t in d['tradeIns']), None),
        'products': [{'priceCents': cents(p['price']), 'product': {'name': p['name'], 'category': p['kind']}} for p in d['products']],
    }


def written(answer, deal):
    """What a write said: money down, whether it was a replay, the version."""
    try:
        payload = answer['data']['dealStructure']
        d = payload['deal']
        assert d['id'] == deal and not payload['userErrors'], answer
        return cents(d['downPayment']), payload['replayed'], d['version']
    except (KeyError, TypeError, AssertionError):
        return json.dumps(answer)[:600]
