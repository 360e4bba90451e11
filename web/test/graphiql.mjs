// GraphiQL in a real Chromium, used as a manager uses it, against a running demo server.
//   DESKLESS_URL=http://127.0.0.1:8080 node test/graphiql.mjs [SCREENSHOT.png]
// No request may leave the server; no console error, no breach of the content policy.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

const base = process.env.DESKLESS_URL ?? 'http://127.0.0.1:8080';
const login = process.env.DESKLESS_LOGIN ?? 'manager.austin@example.com';
const salesperson = process.env.DESKLESS_SALES_LOGIN ?? 'sales.austin@example.com';
const password = process.env.DESKLESS_PASSWORD ?? 'showroom-demo-2026';
const picture = process.argv[2];

let failed = 0;
function check(name, ok, got = '') {
  if (!ok) failed += 1;
  console.log(`${ok ? 'pass' : 'FAIL'}  ${name.padEnd(60)} ${got}`);
}

async function api(query, variables, token) {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const response = await fetch(`${base}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const answer = await response.json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}

const profile = mkdtempSync(join(tmpdir(), 'deskless-browser-'));
const quiet = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: quiet,
  viewport: { width: 1440, height: 900 },
});
const page = await browser.newPage();
page.setDefaultTimeout(20_000);
const errors = [];
const foreign = new Set();
page.on('console', (message) => message.type() === 'error' && errors.push(`${message.text()} ${message.location().url}`.slice(0, 200)));
page.on('pageerror', (error) => errors.push(String(error).slice(0, 200)));
page.on('request', (request) => {
  const url = new URL(request.url());
  if (['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol) && url.origin !== new URL(base).origin) foreign.add(url.origin);
});
page.on('websocket', (socket) => {
  if (new URL(socket.url()).host !== new URL(base).host) foreign.add(socket.url());
});

const run = () => page.locator('.graphiql-execute-button').click();
const answerText = () => page.evaluate(() => document.querySelector('.result-window .CodeMirror')?.CodeMirror.getValue() ?? '');
async function answer(pattern) {
  await page.waitForFunction(
    (source) => new RegExp(source).test(document.querySelector('.result-window .CodeMirror')?.CodeMirror.getValue() ?? ''),
    pattern.source,
    { timeout: 15_000 },
  );
  return answerText();
}
async function openSaved(name) {
  const entry = page.locator(`[data-query="${name}"]`);
  if (!(await entry.isVisible())) await page.locator('button[aria-label*="Saved queries"]').click();
  await entry.click();
  await page.waitForTimeout(300);
}

try {
  const response = await page.goto(`${base}/graphiql`, { waitUntil: 'load' });
  check('the page answers with a content policy', response.status() === 200 && /script-src 'self'/.test(response.headers()['content-security-policy'] ?? ''), String(response.status()));
  await page.waitForSelector('.graphiql-execute-button');
  check('the editor and the sign-in form are drawn', await page.locator('form[aria-label="Sign in"]').isVisible());

  await page.fill('input[name=login]', login);
  await page.fill('input[name=password]', 'wrong password');
  await page.click('button[type=submit]');
  const refusal = await page.locator('[role=alert]').innerText();
  check('a wrong password is refused in words', /wrong/i.test(refusal), refusal);

  await page.fill('input[name=password]', password);
  await page.click('button[type=submit]');
  const who = await page.locator('[data-testid=viewer]').innerText();
  const stores = await page.locator('.stores').innerText();
  check('signing in shows name, store and role', who.length > 0 && /sales manager/.test(stores), `${who}, ${stores}`);
  errors.length = 0; // before signing in, the API rightly refused to say who we are

  const names = await page.locator('[data-query]').evaluateAll((all) => all.map((one) => one.dataset.query));
  check('saved queries for a manager’s day are listed', names.length >= 7, `${names.length}`);

  for (const name of names.filter((one) => !one.startsWith('live-'))) {
    await openSaved(name);
    await run();
    const text = await answer(/"data"|"errors"/);
    const parsed = JSON.parse(text);
    check(`saved query ${name} answers with data`, parsed.data !== undefined && parsed.errors === undefined, text.replace(/\s+/g, ' ').slice(0, 70));
  }

  await openSaved('aging-stock');
  await run();
  const lot = JSON.parse(await answer(/"data"/));
  const first = lot.data?.vehicles?.nodes?.[0];
  check('the answer holds real cars', Boolean(first?.vin), `${first?.modelYear} ${first?.make} ${first?.model}`);
  if (picture) await page.screenshot({ path: picture });

  const signedIn = await api(
    'mutation($i: SignInInput!) { signIn(input: $i) { tokens { accessToken } viewer { stores { store { id } } } } }',
    { i: { login: salesperson, password } },
  );
  const token = signedIn.signIn.tokens.accessToken;
  const open = await api('{ deals(filter: { open: true }, first: 20) { nodes { id version state termMonths } } }', {}, token);
  const deal = open.deals.nodes.find((one) => ['DRAFT', 'WORKSHEET'].includes(one.state)) ?? open.deals.nodes[0];
  await openSaved('live-deal');
  await page.evaluate(
    (id) => document.querySelector('.graphiql-editor-tool .CodeMirror').CodeMirror.setValue(JSON.stringify({ id })),
    deal.id,
  );
  const socket = page.waitForEvent('websocket');
  await run();
  check('a subscription opens a WebSocket on this server', new URL((await socket).url()).pathname === '/graphql');
  await answer(new RegExp(`"version": ${deal.version}\\b`));
  const changed = await changeTerm(token, deal);
  const event = await answer(new RegExp(`"version": ${changed}\\b`));
  check('the subscription delivers another person’s change', event.includes(deal.id), event.replace(/\s+/g, ' ').slice(0, 90));
  await run(); // stops it

  await page.locator('button[aria-label*="Documentation Explorer"]').first().click();
  await page.waitForSelector('.graphiql-doc-explorer');
  const docs = await page.locator('.graphiql-doc-explorer').innerText();
  check('the documentation shows the root types', /query/i.test(docs) && /mutation/i.test(docs) && /subscription/i.test(docs));

  check('nothing was kept on disk by the page', await page.evaluate(() => localStorage.length === 0));
  await page.click('text=Sign out');
  await page.waitForSelector('form[aria-label="Sign in"]');
  check('signing out brings the form back', await page.locator('form[aria-label="Sign in"]').isVisible());
} catch (error) {
  check('GraphiQL works', false, String(error).split('\n')[0]);
  await page.screenshot({ path: '/tmp/deskless-graphiql-failure.png' }).catch(() => {});
}
check('no console errors', errors.length === 0, errors[0] ?? '');
check('no request left this server', foreign.size === 0, [...foreign].join(' '));
await browser.close();
rmSync(profile, { recursive: true, force: true });
console.log(failed === 0 ? 'all passed' : `${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

// What a salesperson's tablet does meanwhile: another term, so every figure changes.
async function changeTerm(token, deal) {
  const input = {
    dealId: deal.id,
    expectedVersion: deal.version,
    idempotencyKey: `browser-test-${Date.now()}`,
    termMonths: deal.termMonths === 60 ? 48 : 60,
  };
  const query = 'mutation($i: DealStructureInput!) { dealStructure(input: $i) { deal { version } userErrors { message } } }';
  const { dealStructure } = await api(query, { i: input }, token);
  if (dealStructure.userErrors.length > 0) throw new Error(dealStructure.userErrors[0].message);
  return dealStructure.deal.version;
}
