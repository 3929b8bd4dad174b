// A client without a network: its requests are answered by a list.
import { UserApi } from '../dist/index.js';

export const json = (body, status = 200, headers = {}) =>
  new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { 'X-Request-Id': 'req_1', ...headers } });
export const problem = (code, status, headers = {}) =>
  json({ type: `/problems/${code}`, title: 'T', detail: 'D', instance: 'urn:request:req_1', code, status }, status, headers);

/** A client whose requests are answered by these, one after the other; the last one stays. */
export function client(answers, options = {}) {
  const seen = [];
  const fetch = async (url, init) => {
    const at = Math.min(seen.length, answers.length - 1);
    seen.push({ url, ...init, at: performance.now() });
    const answer = answers[at];
    const made = typeof answer === 'function' ? await answer(init) : answer.clone();
    return made;
  };
  const api = new UserApi({ baseUrl: 'https://api.test/', credential: { token: 'a.b.c' }, random: () => 0, fetch, ...options });
  return { api, seen };
}
export const fails = async () => {
  throw new TypeError('fetch failed');
};
export const hangs = ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
