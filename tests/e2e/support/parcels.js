// The delivered worker, whose customers' objects do with a parcel what `GET /parcels/{mode}` said last: the main module
// of one test of `gathered.rs`, and of nothing else.
import inner, * as delivered from './index.js';

const HEADER = 'x-user-api-parcel';
let mode = 'take';

const parcels = {
  take: undefined,
  refuse: () => new Response(null, { status: 503, headers: { 'x-user-api-code': 'unavailable' } }),
  throw: () => {
    throw new Error('no parcel');
  },
  rubbish: () => new Response('no parcel'),
  empty: () => new Response(null, { status: 500 }),
  silent: () => new Promise((resolve) => setTimeout(() => resolve(new Response('too late')), 60_000)),
};

export class CustomerObject extends delivered.CustomerObject {
  fetch(request) {
    const answer = request.headers.has(HEADER) ? parcels[mode] : undefined;
    return answer === undefined ? super.fetch(request) : answer();
  }
}

export const { DirectoryObject, KeyVaultObject, OperatorObject } = delivered;

export default {
  fetch(request, env, context) {
    const asked = /\/parcels\/(\w+)$/.exec(request.url)?.[1];
    if (asked === undefined) {
      return inner.fetch(request, env, context);
    }
    mode = asked;
    return new Response(mode);
  },
};
