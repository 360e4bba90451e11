// Every saved query must be valid against the committed schema. Needs no server.
import { readFileSync, readdirSync } from 'node:fs';

import { buildSchema, parse, validate } from 'graphql';

const root = new URL('../../', import.meta.url);
const folder = new URL('web/src/queries/', root);
const schema = buildSchema(readFileSync(new URL('schema.graphql', root), 'utf8'));

let failed = 0;
for (const name of readdirSync(folder).sort()) {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const problems = [];
  if (!/^# \S.*\n# \S/.test(text)) problems.push('the first two lines are comments: a title, and what it answers');
  const variables = /^# variables: (.*)$/m.exec(text)?.[1];
  try {
    if (variables) JSON.parse(variables);
    problems.push(...validate(schema, parse(text)).map((error) => error.message));
  } catch (error) {
    problems.push(error.message);
  }
  if (problems.length > 0) failed += 1;
  console.log(`${problems.length === 0 ? 'pass' : 'FAIL'}  ${name}${problems.map((p) => `\n      ${p}`).join('')}`);
}
if (failed > 0) process.exit(1);
