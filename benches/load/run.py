#!/usr/bin/env python3
"""Starts the floor and the product, compares their answers, measures both in turns. Run by run.sh."""
import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

import mapping

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.environ['BENCH_SHARED']
OUT = os.environ['BENCH_OUT']
DATABASE = os.environ['DATABASE_URL']
sys.path.insert(0, SHARED + '/load')
import bodies  # noqa: E402  (the same variables as every other peer of the bench)

FLOOR_PORT, PRODUCT_PORT = 7101, 7102
TARGETS = {1: 0.40, 2: 0.40, 3: 0.40, 4: 0.70}
NAMES = {1: 'lot page', 2: 'customer', 3: 'deal room', 4: 'write'}
TICKS = os.sysconf('SC_CLK_TCK')


def sql(statement):
    out = subprocess.run(['psql', '-X', '-Atq', '-d', DATABASE, '-c', statement], check=True, capture_output=True, text=True)
    return out.stdout.strip()


def post(url, body, headers):
    request = urllib.request.Request(url, body.encode(), {'content-type': 'application/json', 'accept': 'application/json', **headers})
    try:
        return json.loads(urllib.request.urlopen(request, timeout=30).read())
    except urllib.error.HTTPError as error:
        return {'http': error.code, 'body': error.read().decode()[:500]}


def cpu(pid):
    """CPU seconds of a process."""
    fields = open(f'/proc/{pid}/stat').read().rsplit(') ', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_of_postgres():
    """CPU seconds of every server process of our cluster (the ended ones too, as the postmaster's children)."""
    postmaster = int(sql("SELECT pg_read_file('postmaster.pid', 0, 20)").split()[0])
    total = 0.0
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            fields = open(f'/proc/{pid}/stat').read().rsplit(') ', 1)[1].split()
            if int(fields[1]) == postmaster or int(pid) == postmaster:
                total += (int(fields[11]) + int(fields[12])) / TICKS
            if int(pid) == postmaster:
                total += (int(fields[13]) + int(fields[14])) / TICKS
        except (OSError, ValueError, IndexError):
            pass
    return total


def resident(pid):
    return int(re.search(r'VmRSS:\s+(\d+)', open(f'/proc/{pid}/status').read())[1]) / 1024


class Peer:
    def __init__(self, name, command, environment, url, documents):
        self.name, self.url, self.documents, self.headers = name, url, documents, {}
        self.log = open(f'{OUT}/{name}.log', 'w')
        self.process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=self.log, stderr=self.log)

    def wait(self, url):
        begin = time.time()
        while time.time() - begin < 30:
            try:
                urllib.request.urlopen(url, timeout=1)
                return time.time() - begin
            except urllib.error.HTTPError:
                return time.time() - begin
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.01)
        sys.exit(f'{self.name} did not start:\n' + open(self.log.name).read()[-2000:])

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()


def document(peer, query):
    return bodies.doc(f'{peer.documents}/q{query}.graphql')


def translate(peer, query, variables):
    return variables if peer.name == 'floor' else mapping.variables(query, variables)


def body(peer, query, variables, version=None):
    text = bodies.body(document(peer, query), translate(peer, query, variables))
    return text if version is None else text.replace('"__VERSION__"', str(version))


def open_deals():
    """The product changes only open deals, so the write is measured on those, for both."""
    return [int(x) for x in sql("SELECT id FROM app.deals WHERE status = 'OPEN' ORDER BY id").split()]


def variables(query, count, seed, deals):
    result = bodies.variables(query, count, seed)
    if query == 4:
        chosen = sorted(set(deals[v['dealId'] % len(deals)] for v in result))
        result = [dict(v, dealId=deal) for v, deal in zip(result, chosen)]
    return result


def sign_in(peer):
    answer = post(peer.url, json.dumps({'query': open(f'{HERE}/queries/sign_in.graphql').read(),
                                        'variables': {'login': 'rep0', 'password': 'bench bench bench'}}), {})
    try:
        token = answer['data']['signIn']['tokens']['accessToken']
    except (KeyError, TypeError):
        sys.exit(f'sign in: {answer}')
    peer.headers = {'Authorization': f'Bearer {token}'}
    open(f'{OUT}/headers', 'w').write(f'Authorization: Bearer {token}\n')


def verify(floor, product, queries, deals):
    """Equal answers, or nothing is measured."""
    equal = True
    for query in queries:
        sets = variables(query, 40, 99, deals)
        for index, v in enumerate(sets):
            if query == 4:
                answers = verify_write(floor, product, dict(v, idempotencyKey=f'verify-{time.time_ns()}-{index}'))
            else:
                mine = post(product.url, body(product, query, v), product.headers)
                theirs = post(floor.url, body(floor, query, v), {})
                try:
                    answers = mapping.floor(query, theirs['data']), mapping.product(query, mine['data'])
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    answers = theirs, {'error': repr(error), 'answer': mine}
            if answers[0] != answers[1]:
                equal = False
                print(f'q{query} differs for {v}\n  floor   {json.dumps(answers[0], sort_keys=True)[:1500]}\n  product {json.dumps(answers[1], sort_keys=True)[:1500]}')
                break
        else:
            print(f'q{query} ({NAMES[query]}): {len(sets)} answers are equal', flush=True)
    return equal


def verify_write(floor, product, v):
    """The write, and the same write again, which must give the first answer."""
    theirs = [post(floor.url, body(floor, 4, v), {})['data']['updateDownPayment'] for _ in range(2)]
    deal = mapping.variables(4, v)['dealId']
    version = sql(f"SELECT version FROM deal WHERE id = app.pid(12, {v['dealId']})")
    mine = [post(product.url, body(product, 4, v, version), product.headers) for _ in range(2)]
    mapped = [mapping.written(answer, deal) for answer in mine]
    expected = [(t['downPaymentCents'], t['replayed'], t['version'] - theirs[0]['version']) for t in theirs]
    got = [m if isinstance(m, str) else (*m[:2], m[2] - mapped[0][2]) for m in mapped]
    return expected, got


def load(peer, query, options, bodies_file):
    if query == 4:
        sql('TRUNCATE app.idempotency_keys')
        sql('VACUUM app.deals')
        sql('VACUUM deal')
        if peer.name != 'floor':
            versions = sql("SELECT id::text || ' ' || version FROM deal")
            with open(f'{OUT}/versions', 'w') as file:
                for line in versions.splitlines():
                    uuid, version = line.split()
                    file.write(f"{mapping.typed_id('deal', 12, int(uuid[-12:], 16))} {version}\n")
    headers = f'{OUT}/headers' if peer.headers else ''
    versions = f'{OUT}/versions' if query == 4 and peer.headers else ''
    command = ['wrk', '-t', '1', '-c', str(options.conns), '-d', f'{options.secs}s', '--timeout', '10s', '-s', f'{HERE}/wrk.lua', peer.url, '--',
               bodies_file, f'{peer.name}-{time.time_ns()}', headers, versions]
    before = cpu(peer.process.pid), cpu_of_postgres()
    out = subprocess.run(command, capture_output=True, text=True)
    after = cpu(peer.process.pid), cpu_of_postgres()
    found = re.search(r'JSON(\{.*\})', out.stdout)
    if not found:
        sys.exit(f'wrk failed: {out.stdout[-500:]} {out.stderr[-500:]}')
    r = json.loads(found[1])
    return {'rps': r['req'] / (r['us'] / 1e6), 'p50': r['p50'] / 1e3, 'p99': r['p99'] / 1e3, 'errors': r['status'] + r['sock'] + r['gqlerr'],
            'server_us': (after[0] - before[0]) / r['req'] * 1e6, 'postgres_us': (after[1] - before[1]) / r['req'] * 1e6,
            'kb': r['bytes'] / r['req'] / 1024, 'rss': resident(peer.process.pid)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--floor', required=True)
    parser.add_argument('--product', required=True)
    parser.add_argument('--queries', default='1,2,3,4')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--secs', type=int, default=10)
    parser.add_argument('--conns', type=int, default=32)
    parser.add_argument('--verify-only', action='store_true')
    parser.add_argument('--hold', action='store_true', help='keep both running until Ctrl-C, for a profiler')
    options = parser.parse_args()
    queries = [int(q) for q in options.queries.split(',')]
    peers = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        floor = Peer('floor', [options.floor], {'MODE': 'sqlx', 'PORT': str(FLOOR_PORT)}, f'http://127.0.0.1:{FLOOR_PORT}/graphql', SHARED + '/queries')
        peers.append(floor)
        product = Peer('product', [options.product, 'serve'],
                       {'DESKLESS_SERVER__LISTEN': f'127.0.0.1:{PRODUCT_PORT}', 'DESKLESS_DATA_DIR': f'{OUT}/data', 'DESKLESS_LOG__JSON': 'true'},
                       f'http://127.0.0.1:{PRODUCT_PORT}/graphql', HERE + '/queries')
        peers.append(product)
        floor.wait(floor.url)
        started = product.wait(f'http://127.0.0.1:{PRODUCT_PORT}/readyz')
        time.sleep(1)
        print(f'product: ready after {started:.2f} s, {resident(product.process.pid):.0f} MiB resident at rest')
        sign_in(product)
        deals = open_deals()
        if not verify(floor, product, queries, deals):
            sys.exit('The answers differ: nothing was measured.')
        if options.verify_only:
            return
        if options.hold:
            print(f'floor {floor.process.pid}, product {product.process.pid}', flush=True)
            signal.pause()
        for peer in peers:
            for query in queries:
                with open(f'{OUT}/{peer.name}-q{query}.txt', 'w') as file:
                    file.writelines(body(peer, query, v) + '\n' for v in variables(query, bodies.N, 7, deals))
        results = {(peer.name, query): [] for peer in peers for query in queries}
        warm = argparse.Namespace(conns=options.conns, secs=3)
        for turn in range(-1, options.rounds):
            # A token lasts 15 minutes.
            sign_in(product)
            for query in queries:
                for peer in peers if turn % 2 else reversed(peers):
                    result = load(peer, query, warm if turn < 0 else options, f'{OUT}/{peer.name}-q{query}.txt')
                    if turn >= 0:
                        results[peer.name, query].append(result)
        report(results, queries, options)
    finally:
        for peer in peers:
            peer.stop()


def report(results, queries, options):
    middle = {key: {name: statistics.median(r[name] for r in rows) for name in rows[0]} for key, rows in results.items()}
    print(f'\n{options.conns} connections, {options.rounds} rounds of {options.secs} s in turns; medians')
    print(f"{'':10}{'':>9}{'req/s':>8}{'ratio':>7}{'target':>8}{'p50 ms':>8}{'p99 ms':>8}{'server us':>11}{'postgres us':>13}{'KB':>6}{'MiB':>6}{'errors':>8}")
    short = False
    for query in queries:
        base = middle['floor', query]['rps']
        for name in ('floor', 'product'):
            m = middle[name, query]
            ratio = m['rps'] / base
            target = TARGETS[query] if name == 'product' else None
            short |= target is not None and ratio < target
            print(f"{NAMES[query]:10}{name:>9}{m['rps']:>8.0f}{ratio:>7.2f}{target or '':>8}{m['p50']:>8.2f}{m['p99']:>8.1f}"
                  f"{m['server_us']:>11.0f}{m['postgres_us']:>13.0f}{m['kb']:>6.1f}{m['rss']:>6.0f}{m['errors']:>8.0f}")
    json.dump({'options': vars(options), 'rows': {f'{name} q{query}': m for (name, query), m in middle.items()}},
              open(f'{OUT}/results.json', 'w'), indent=1)
    print('some ratios are below their target' if short else 'every ratio reaches its target')


main()
