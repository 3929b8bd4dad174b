// A path between client and service on which things go wrong, and on which the requests are counted. Each test has a
// road of its own: `<url>/<kind>-<number>`.
//
//   plain   passes everything on
//   losing  passes the first request on and hangs up instead of answering
//   silent  takes requests and never answers
import { createServer, request } from 'node:http';

const ROAD = /^\/((\w+)-\d+)(\/.*)$/;

/** Starts it before the service at `target`: its `url`, `road(kind)`, and `close`. */
export async function startProxy(target) {
  const { hostname, port } = new URL(target);
  const roads = new Map();
  const server = createServer((incoming, outgoing) => {
    const [, name, kind, path] = ROAD.exec(incoming.url) ?? [];
    const seen = roads.get(name);
    if (seen === undefined) {
      outgoing.writeHead(404).end();
      return;
    }
    const isRequest = incoming.method !== 'OPTIONS';
    const number = isRequest ? seen.push({ method: incoming.method, path }) : 0;
    outgoing.on('close', () => {
      if (isRequest && !outgoing.writableFinished) {
        seen[number - 1].brokenOff = true;
      }
    });
    if (kind === 'silent' && isRequest) {
      return;
    }
    const headers = { ...incoming.headers, host: `${hostname}:${port}` };
    const onward = request({ hostname, port, method: incoming.method, path, headers, agent: false }, (answer) => {
      if (isRequest) {
        seen[number - 1].status = answer.statusCode;
      }
      if (kind === 'losing' && number === 1) {
        answer.resume().on('end', () => outgoing.destroy());
        return;
      }
      // A connection of its own for each, so that no browser repeats a request by itself.
      outgoing.writeHead(answer.statusCode, { ...answer.headers, connection: 'close' });
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    /** A new road of that kind: its address and the requests that it sees. */
    road: (kind) => {
      const name = `${kind}-${roads.size + 1}`;
      roads.set(name, []);
      return { url: `${url}/${name}`, seen: roads.get(name) };
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
