// `make deploy`: refuses while production lacks a setting, naming each and how to set it; then `wrangler deploy`.
//
//   node scripts/deploy.mjs [--check] [--secrets-json FILE] [options of wrangler deploy, e.g. --env staging]
//
// --check stops before deploying; --secrets-json takes the answer of `wrangler secret list` from a file. What is
// checked is wrangler.toml, so --config is refused.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { unstable_readConfig as readConfig } from 'wrangler';
import { ROOT, Refusal, WRANGLER, isMain, run, toolEnvironment } from './lib.mjs';
import { REQUIRED_PLAIN, REQUIRED_SECRETS, SECRETS } from './settings.mjs';

const HINTS = {
  INDEX_KEY: 'made by `make keygen`; finds users by their sub and makes API keys; never changes',
  JWT_ISSUER: 'who issues your tokens: under [vars] in wrangler.toml',
  JWT_AUDIENCE: 'for whom they are: under [vars] in wrangler.toml',
  MASTER_KEYS: 'made by `make keygen`; seals what is kept for a repetition; later all personal data; keep a copy',
  SERVICE_API_KEYS: 'made by `make keygen`',
  SIGNING_KEYS: 'made by `make keygen`; will sign checkpoints and exports; checked, not used yet; keep a copy',
};

/** What stands in the way of a deployment with these secrets' names and these plain vars: one line each. */
export function objections(secretNames, vars, wranglerArgs = '') {
  const secrets = new Set(secretNames);
  return [
    ...misplaced(vars, wranglerArgs),
    ...unmet(secrets, vars).map((names) => `${names[0]} is missing${howToPut(names, wranglerArgs)}`),
    ...plainObjections(secrets, vars),
  ];
}

/** What can be said when the secrets could not be listed, for that `failure`: what is wrong, then what must be set. */
export function objectionsOffline(failure, vars, wranglerArgs = '') {
  const needed = unmet(new Set(), vars).map((names) => `${names[0]} must be set${howToPut(names, wranglerArgs)}`);
  return [
    `secrets could not be listed: ${failure}`,
    ...misplaced(vars, wranglerArgs),
    ...plainObjections(new Set(), vars),
    ...needed,
  ];
}

/** The first error of what wrangler printed, as one plain line. */
export function firstError(output) {
  const lines = stripVTControlCharacters(output).split('\n').map((line) => line.trim());
  const line = lines.find((each) => /\bERROR\b/.test(each)) ?? lines.find((each) => each !== '');
  return line?.replace(/^.*\[ERROR\]\s*/, '') ?? 'wrangler said nothing';
}

const isIn = (vars) => (name) => (vars[name] ?? '') !== '';
const put = (name, wranglerArgs) => `npx wrangler secret put ${name}${wranglerArgs}`;

function misplaced(vars, wranglerArgs) {
  return SECRETS.filter((secret) => secret in vars).map(
    (name) => `${name} stands in wrangler.toml: it is a secret. Remove it there, then: ${put(name, wranglerArgs)}`,
  );
}

/** The required secrets that none of their names meets. */
function unmet(secrets, vars) {
  return REQUIRED_SECRETS.filter((anyOf) => !anyOf.some((name) => secrets.has(name) || isIn(vars)(name)));
}

function howToPut([first, ...others], wranglerArgs) {
  const hint = HINTS[first] ? ` (${HINTS[first]})` : '';
  const alternatives = others.length === 0 ? '' : ` (or ${others.join(' or ')} under [vars] in wrangler.toml)`;
  return `${hint}: ${put(first, wranglerArgs)}${alternatives}`;
}

function plainObjections(secrets, vars) {
  const found = REQUIRED_PLAIN.filter((name) => !secrets.has(name) && !isIn(vars)(name)).map(
    (name) => `${name} is missing (${HINTS[name]})`,
  );
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

/** The answer of `wrangler secret list` as `json`, or the `failure` to get one. */
function deployedSecrets(environmentArgs) {
  const result = wrangler(['secret', 'list', '--format=json', ...environmentArgs], ['inherit', 'pipe', 'pipe']);
  if (result.status === 0) {
    return { json: result.stdout };
  }
  // Before the first deployment there is no Worker that could have secrets (API error 10007).
  if (/\b10007\b|does not exist/.test(result.stderr + result.stdout)) {
    return { json: '[]' };
  }
  return { failure: firstError(result.stderr || result.stdout || result.error?.message || '') };
}

function secretsIn(file) {
  try {
    return { json: readFileSync(file, 'utf8') };
  } catch (error) {
    throw new Refusal(`--secrets-json ${file}: ${error.code === 'ENOENT' ? 'does not exist' : error.message}`);
  }
}

function plainVars(env) {
  try {
    return readConfig({ config: join(ROOT, 'wrangler.toml'), env }).vars;
  } catch (error) {
    throw new Refusal(`wrangler.toml cannot be used: ${firstError(error.message)}`);
  }
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
    options: {
      check: { type: 'boolean' },
      config: { type: 'string', short: 'c' },
      env: { type: 'string', short: 'e' },
      'secrets-json': { type: 'string' },
    },
  });
  if (values.config !== undefined) {
    throw new Refusal('--config is refused: what is checked and deployed is wrangler.toml');
  }
  for (const name of ['env', 'secrets-json'].filter((each) => values[each] === true || values[each] === '')) {
    throw new Refusal(`--${name} needs a value`);
  }
  const ours = new Set(['check', 'secrets-json']);
  const passedOn = tokens
    .filter(({ kind, name }) => kind !== 'option' || !ours.has(name))
    .map((token) => (token.kind === 'positional' ? token.value : optionText(token)));
  const environmentArgs = values.env === undefined ? [] : [`--env=${values.env}`];

  const file = values['secrets-json'];
  const vars = plainVars(values.env);
  const { json, failure } = file === undefined ? deployedSecrets(environmentArgs) : secretsIn(file);
  const shownArgs = environmentArgs.map((arg) => ` ${arg}`).join('');
  const found =
    failure === undefined
      ? objections(secretNames(json, file ?? 'the answer of wrangler'), vars, shownArgs)
      : objectionsOffline(failure, vars, shownArgs);
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
