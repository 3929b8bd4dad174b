// `make deploy`: refuses while production lacks a setting, naming each and how to set it; then `wrangler deploy`.
//
//   node scripts/deploy.mjs [--check] [--secrets-json FILE] [options of wrangler deploy, e.g. --env staging]
//
// --check stops before deploying; --secrets-json takes the answer of `wrangler secret list` from a file.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { unstable_readConfig as readConfig } from 'wrangler';
import { ROOT, Refusal, WRANGLER, isMain, run, toolEnvironment } from './lib.mjs';
import { REQUIRED_PLAIN, REQUIRED_SECRETS, SECRETS } from './settings.mjs';

const HINTS = {
  INDEX_KEY: 'made by `make keygen`; never changes once there is data',
  JWT_ISSUER: 'who issues your tokens: under [vars] in wrangler.toml',
  JWT_AUDIENCE: 'for whom they are: under [vars] in wrangler.toml',
  MASTER_KEYS: 'made by `make keygen`; keep a copy, for without it no data can be read',
  SERVICE_API_KEYS: 'made by `make keygen`',
  SIGNING_KEYS: 'made by `make keygen`; keep a copy',
};

/** What stands in the way of a deployment with these secrets' names and these plain vars: one line each. */
export function objections(secretNames, vars, wranglerArgs = '') {
  const secrets = new Set(secretNames);
  const isSet = (name) => secrets.has(name) || (vars[name] ?? '') !== '';
  const put = (name) => `npx wrangler secret put ${name}${wranglerArgs}`;
  const found = [];
  for (const name of SECRETS.filter((secret) => secret in vars)) {
    found.push(`${name} stands in wrangler.toml: it is a secret. Remove it there, then: ${put(name)}`);
  }
  for (const names of REQUIRED_SECRETS.filter((anyOf) => !anyOf.some(isSet))) {
    const [first, ...others] = names;
    const alternatives = others.length === 0 ? '' : ` (or ${others.join(' or ')} under [vars] in wrangler.toml)`;
    found.push(`${first} is missing${HINTS[first] ? ` (${HINTS[first]})` : ''}: ${put(first)}${alternatives}`);
  }
  for (const name of REQUIRED_PLAIN.filter((plain) => !isSet(plain))) {
    found.push(`${name} is missing (${HINTS[name]})`);
  }
  if (vars.ENVIRONMENT !== 'production' && !secrets.has('ENVIRONMENT')) {
    found.push('ENVIRONMENT is not "production": under [vars] in wrangler.toml');
  }
  return found;
}

function wrangler(args, stdio) {
  return spawnSync(process.execPath, ['--no-warnings', WRANGLER, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: toolEnvironment(),
    stdio,
  });
}

function deployedSecrets(environmentArgs) {
  const result = wrangler(['secret', 'list', '--format=json', ...environmentArgs], ['inherit', 'pipe', 'pipe']);
  if (result.status === 0) {
    return result.stdout;
  }
  // Before the first deployment there is no Worker that could have secrets (API error 10007).
  if (/\b10007\b|does not exist/.test(result.stderr + result.stdout)) {
    return '[]';
  }
  throw new Refusal(`wrangler secret list failed; are you logged in (npx wrangler login)?\n${result.stderr}`);
}

function secretNames(json, source) {
  try {
    return JSON.parse(json).map(({ name }) => name);
  } catch {
    throw new Refusal(`${source} is not a JSON list of {name}`);
  }
}

async function main() {
  const { values, tokens } = parseArgs({
    strict: false,
    tokens: true,
    options: { check: { type: 'boolean' }, 'secrets-json': { type: 'string' }, env: { type: 'string', short: 'e' } },
  });
  const ours = new Set(['check', 'secrets-json']);
  const passedOn = tokens
    .filter(({ kind, name }) => kind !== 'option' || !ours.has(name))
    .map((token) => (token.kind === 'positional' ? token.value : optionText(token)));
  const environmentArgs = values.env === undefined ? [] : [`--env=${values.env}`];

  const file = values['secrets-json'];
  const json = file === undefined ? deployedSecrets(environmentArgs) : readFileSync(file, 'utf8');
  const { vars } = readConfig({ config: join(ROOT, 'wrangler.toml'), env: values.env });
  const found = objections(secretNames(json, file ?? 'the answer of wrangler'), vars, environmentArgs.map((arg) => ` ${arg}`).join(''));
  if (found.length > 0) {
    throw new Refusal(`Not deployed:\n${found.map((line) => `  - ${line}`).join('\n')}`);
  }
  if (values.check) {
    console.log('Every setting that production needs is there.');
    return;
  }
  process.exitCode = wrangler(['deploy', ...passedOn], 'inherit').status ?? 1;
}

function optionText({ rawName, value }) {
  return value === undefined ? rawName : `${rawName}=${value}`;
}

if (isMain(import.meta)) {
  await run(main);
}
