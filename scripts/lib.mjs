// What the scripts share: where things are, the companion, child processes that never outlive their parent.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPrivateFile, parseDotenv } from './dotenv.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const DEFAULT_ENV_FILE = join(ROOT, '.dev.vars');
export const WRANGLER = join(ROOT, 'node_modules/wrangler/wrangler-dist/cli.js');

/** An error whose message is all that its reader needs: printed without a stack. */
export class Refusal extends Error {}

/** Whether the module of this `import.meta` is what node was started with (import.meta.main is younger than node 22). */
export const isMain = ({ filename }) => process.argv[1] !== undefined && realpathSync(process.argv[1]) === filename;

/** Runs `main`; a Refusal is printed plainly, anything else with its stack, both exit 1. */
export async function run(main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Refusal ? error.message : error);
    process.exit(1);
  }
}

/** `text` as a port; 0 asks the system for a free one. */
export function parsePort(text) {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) {
    throw new Refusal(`PORT is not a port number: ${text}`);
  }
  return Number(text);
}

/** The environment for cargo and wrangler: the project's own node and tools first, nobody asked, nothing reported. */
export function toolEnvironment(extra = {}) {
  return {
    ...process.env,
    PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`,
    DO_NOT_TRACK: '1',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_LOG_PATH: join(ROOT, '.wrangler/logs'),
    WRANGLER_NO_SKILLS_UPDATE_PROMPTS: 'true',
    WRANGLER_SEND_ERROR_REPORTS: 'false',
    WRANGLER_SEND_METRICS: 'false',
    ...extra,
  };
}

/**
 * What the native companion prints for `args`. Cargo builds it where it is missing or older than its source;
 * `prebuilt` takes the one that `make build` made, if it is there, for a server need not have cargo.
 */
export function companion(args, env = {}, { prebuilt = false } = {}) {
  const release = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'release/user-api');
  const [command, prefix] = prebuilt && existsSync(release)
    ? [release, []]
    : ['cargo', ['run', '--quiet', '--locked', '--bin', 'user-api', '--']];
  const result = spawnSync(command, [...prefix, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: toolEnvironment(env),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (result.status !== 0) {
    throw new Refusal(`user-api ${args[0]} failed${result.error ? `: ${result.error.message}` : ''}`);
  }
  return result.stdout;
}

/**
 * The settings in `path` as a Map; the default file is made by `user-api keygen` when it is missing, with the
 * companion that `options` choose.
 */
export function readEnvFile(path, say = () => {}, options = {}) {
  if (path === DEFAULT_ENV_FILE && !existsSync(path)) {
    say(`making development secrets in ${path}`);
    createPrivateFile(path, companion(['keygen'], {}, options));
  }
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Refusal(
      error.code === 'ENOENT' ? `ENV_FILE ${path} does not exist` : `ENV_FILE ${path}: ${error.message}`,
    );
  }
  try {
    return parseDotenv(text);
  } catch (error) {
    throw new Refusal(`ENV_FILE ${path}: ${error.message}`);
  }
}

/** Refuses when `host:port` cannot be listened on; returns the port, a free one for 0. */
export function probePort(host, port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      const why = { EADDRINUSE: 'is taken by another program', EACCES: 'needs more rights' }[error.code];
      reject(new Refusal(`port ${port} on ${host} ${why ?? `cannot be used: ${error.message}`}`));
    });
    server.listen({ host, port, exclusive: true }, () => {
      const found = server.address().port;
      server.close(() => resolve(found));
    });
  });
}

/**
 * Starts `command` so that it does not outlive this process even where that is killed by SIGKILL (as a test harness
 * does), where the system offers it: Linux's parent-death signal, by util-linux's setpriv.
 */
export function spawnBound(command, args, options) {
  const bound = process.platform === 'linux' && spawnSync('setpriv', ['--version']).status === 0;
  return bound
    ? spawn('setpriv', ['--pdeathsig', 'TERM', command, ...args], options)
    : spawn(command, args, options);
}

/** Resolves once `child` has exited, with its code (or 128 for a signal). */
export function exited(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve(child.exitCode ?? 128);
    } else {
      child.once('exit', (code) => resolve(code ?? 128));
    }
  });
}

/** Asks `child` to end, and after `graceMs` ends it. */
export async function stop(child, graceMs = 10_000) {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  const code = await exited(child);
  clearTimeout(timer);
  return code;
}

/** The origin of `host:port`; an IPv6 address stands in brackets, and a wildcard address as it is. */
export function origin(host, port) {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
