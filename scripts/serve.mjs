// Serves the release build on plain workerd, with its storage on disk: self-hosting, and what tests start.
//
//   PORT (8787; 0 takes a free one)  HOST (127.0.0.1)  DATA_DIR (.data)  ENV_FILE (.dev.vars)
//   LEGACY_KV_ADDRESS (none; also in ENV_FILE): host:port of a key-value store that is bound as LEGACY_KV
//   CONFIG (workerd.capnp): another configuration, such as one with a SHIELD; it finds this project's files under `/`
//
// Prints one line once it listens. SIGTERM and SIGINT end it with exit code 0 after the requests under way.
// DATA_DIR/workerd.pid holds the server's process id while it runs; a second server on the same folder is refused.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import workerdPackage from 'workerd';
import {
  DEFAULT_ENV_FILE,
  ROOT,
  Refusal,
  exited,
  isMain,
  origin,
  parsePort,
  probePort,
  readEnvFile,
  run,
  spawnBound,
  stop,
} from './lib.mjs';
import { SETTINGS } from './settings.mjs';

// workerd answers what it has begun before it ends; a client that never finishes must not keep it for ever.
const GRACE_MS = 10_000;
// How long a server that was just killed may take to be gone.
const GONE_WITHIN_MS = 1_000;
const POLL_MS = 50;
// The package is CommonJS made from TypeScript: its default export is a member of ours.
const WORKERD = workerdPackage.default; // the path of this platform's executable

/** What the worker sees: the known settings of the file and nothing of this process's own environment. */
export function workerEnvironment(values) {
  const environment = { ENVIRONMENT: 'development' };
  for (const name of SETTINGS) {
    if (values.get(name)) {
      environment[name] = values.get(name);
    }
  }
  return environment;
}

/**
 * The configuration with a key-value store bound as LEGACY_KV, which workerd asks over HTTP. A binding cannot be
 * there and absent in one file, so it is a second one.
 */
export function withLegacyKv(config) {
  return config
    .replace('services = [', 'services = [\n    (name = "legacy-kv", external = (http = ())),')
    .replace('bindings = [', 'bindings = [\n    (name = "LEGACY_KV", kvNamespace = "legacy-kv"),')
    .replaceAll('embed "build/', 'embed "');
}

/** The arguments that name the configuration. */
function withKv(config, kvAddress) {
  if (!kvAddress) {
    return [config];
  }
  if (!/^[A-Za-z0-9.-]+:[0-9]{1,5}$/.test(kvAddress)) {
    throw new Refusal('LEGACY_KV_ADDRESS must be host:port');
  }
  const bound = join(ROOT, 'build/legacy-kv.capnp');
  writeFileSync(bound, withLegacyKv(readFileSync(config, 'utf8')));
  return [bound, `--external-addr=legacy-kv=${kvAddress}`];
}

/** Resolves with the port of workerd's `listen` message, or undefined when it ends without one. */
async function listening(control) {
  let buffer = '';
  for await (const chunk of control) {
    buffer += chunk;
    for (const line of buffer.split('\n').slice(0, -1)) {
      const message = JSON.parse(line);
      if (message.event === 'listen' && message.socket === 'http') {
        return message.port;
      }
    }
    buffer = buffer.slice(buffer.lastIndexOf('\n') + 1);
  }
  return undefined;
}

/** The process id that `pidFile` holds, or undefined. */
function pidIn(pidFile) {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Whether `pid` is a living workerd; where the system has no /proc, whether it lives. */
function isWorkerd(pid) {
  if (process.platform === 'linux') {
    try {
      // Empty for a process that has ended and is not yet reaped; the id may also have gone to another program.
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('workerd');
    } catch {
      return false;
    }
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Makes the folder of the databases, and refuses one that another server works in. */
async function claim(dataDir, pidFile) {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    const isFile = error.code === 'EEXIST' || error.code === 'ENOTDIR';
    throw new Refusal(`DATA_DIR ${dataDir} ${isFile ? 'is not a folder' : `cannot be made: ${error.message}`}`);
  }
  const deadline = Date.now() + GONE_WITHIN_MS;
  for (let pid = pidIn(pidFile); pid !== undefined && isWorkerd(pid); pid = pidIn(pidFile)) {
    if (Date.now() >= deadline) {
      throw new Refusal(`DATA_DIR ${dataDir} is in use by another server: process ${pid}, named by ${pidFile}`);
    }
    await sleep(POLL_MS);
  }
}

async function main() {
  const host = process.env.HOST || '127.0.0.1';
  const port = parsePort(process.env.PORT || '8787');
  const dataDir = resolve(process.env.DATA_DIR || join(ROOT, '.data'));
  const config = process.env.CONFIG ? resolve(process.env.CONFIG) : join(ROOT, 'workerd.capnp');
  const envFile = process.env.ENV_FILE ? resolve(process.env.ENV_FILE) : DEFAULT_ENV_FILE;

  const values = readEnvFile(envFile, (text) => console.error(text), { prebuilt: true });
  await probePort(host, port);
  const pidFile = join(dataDir, 'workerd.pid');
  await claim(dataDir, pidFile);
  if (!existsSync(join(ROOT, 'build/release/index_bg.wasm'))) {
    throw new Refusal('no build to serve: run `make build` first');
  }

  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const child = spawnBound(
    WORKERD,
    [
      'serve',
      ...withKv(config, process.env.LEGACY_KV_ADDRESS || values.get('LEGACY_KV_ADDRESS')),
      `--import-path=${ROOT}`,
      `--socket-addr=http=${address}`,
      `--directory-path=data=${dataDir}`,
      '--control-fd=3',
    ],
    { cwd: ROOT, env: workerEnvironment(values), stdio: ['ignore', 'inherit', 'inherit', 'pipe'] },
  );
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      stopping = true;
      void stop(child, GRACE_MS);
    });
  }
  writeFileSync(pidFile, `${child.pid}\n`);

  const actual = await listening(child.stdio[3]);
  if (actual !== undefined) {
    console.log(`user-api listens on ${origin(host, actual)}`);
    // The worker itself can say so only at its first request that authenticates.
    if (!readFileSync(config, 'utf8').includes('"SHIELD"')) {
      console.log(JSON.stringify({ event: 'shield', detail: 'the configuration has no SHIELD: addresses are not counted' }));
    }
  }
  const code = await exited(child);
  if (pidIn(pidFile) === child.pid) {
    rmSync(pidFile, { force: true });
  }
  if (!stopping) {
    throw new Refusal(`workerd ended by itself (${child.signalCode ?? `code ${code}`})`);
  }
  process.exit(0);
}

if (isMain(import.meta)) {
  await run(main);
}
