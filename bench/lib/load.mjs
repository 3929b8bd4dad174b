// The two load generators. wrk: as fast as the connections allow, different requests, every response checked in Lua.
// oha: a fixed rate, each latency counted from the moment at which the request was due (coordinated omission).
import { spawn, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from '../../scripts/lib.mjs';

const CHECK = join(import.meta.dirname, 'check.lua');

/** Whether a program is there. */
export const isInstalled = (command) => spawnSync(command, ['--version']).error === undefined;

/** A program's output; fails when it does. */
function output(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [text, errors] = ['', ''];
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (errors += chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(text) : reject(new Refusal(`${command} ended with ${code}: ${errors || text}`)),
    );
  });
}

const literal = (text) => JSON.stringify(text).replaceAll('\\u', '\\x');

/** One request as it goes over the wire. */
function wire({ method, path, headers, body }, host) {
  const fields = { Host: host, ...headers, ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`;
}

/** What wrk is told, written to a file; `requests` are sent in turn. */
export function writePlan(file, { requests, expect }, host) {
  const list = requests.map((request) => literal(wire(request, host)));
  const length = expect.length === undefined ? 'nil' : String(expect.length);
  writeFileSync(
    file,
    `return { requests = { ${list.join(',\n')} }, status = ${expect.status}, length = ${length}, ` +
      `contains = ${literal(expect.contains ?? '')} }\n`,
  );
  return () => rmSync(file, { force: true });
}

/** Closed loop: `connections` at once, each sends its next request when its last is answered. Latencies in ms. */
export async function closedLoop(port, plan, connections, seconds) {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', CHECK, `http://127.0.0.1:${port}`, '--', plan];
  const text = await output('wrk', args);
  const result = JSON.parse(/^RESULT (.*)$/m.exec(text)?.[1] ?? 'null');
  if (result === null || result.wrong > 0 || result.socket > 0 || result.checked === 0) {
    throw new Refusal(`wrk saw wrong answers: ${text}`);
  }
  const ms = (micros) => micros / 1000;
  return {
    requests: result.requests,
    rps: result.requests / (result.micros / 1e6),
    p50: ms(result.p50),
    p99: ms(result.p99),
    p999: ms(result.p999),
    max: ms(result.max),
  };
}

/** The requests' bodies in a file, one a line; the arguments that name them. */
function bodies(requests, file) {
  if (requests[0].body === undefined) {
    return [];
  }
  writeFileSync(file, requests.map(({ body }) => `${body}\n`).join(''));
  return ['-Z', file];
}

/** Open loop: `rate` requests a second whatever comes back, bodies in turn. Latencies in ms from when each was due. */
export async function openLoop(oha, port, { requests, expect }, { rate, connections, seconds, file }) {
  const [request] = requests;
  const headers = Object.entries(request.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const text = await output(oha, [
    '--no-tui', '--output-format', 'json', '--latency-correction', '--disable-compression', '--wait-ongoing-requests-after-deadline',
    '-z', `${seconds}s`, '-q', String(rate), '-c', String(connections), '-m', request.method, ...headers, ...bodies(requests, file),
    `http://127.0.0.1:${port}${request.path}`,
  ]);
  const { summary, latencyPercentiles: at, statusCodeDistribution: statuses, errorDistribution: errors } = JSON.parse(text);
  const [counts, failures] = [Object.entries(statuses), Object.entries(errors).filter(([, count]) => count > 0)];
  const isRight = counts.length === 1 && counts[0][0] === String(expect.status) && failures.length === 0
    && (expect.length === undefined || summary.sizePerRequest === expect.length);
  if (!isRight) {
    throw new Refusal(`oha saw wrong answers: ${JSON.stringify({ statuses, errors, size: summary.sizePerRequest })}`);
  }
  const ms = (seconds) => seconds * 1000;
  return {
    requests: counts[0][1],
    rps: summary.requestsPerSec,
    p50: ms(at.p50),
    p99: ms(at.p99),
    p999: ms(at['p99.9']),
    max: ms(summary.slowest),
  };
}
