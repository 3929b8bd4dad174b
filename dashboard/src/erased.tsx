// What is left to show of an erased customer: that it is gone, and the certificate of it, once there is one.
import type { Problem } from '@user-api/client';
import { useEffect } from 'preact/hooks';
import { token } from './api';
import { Certificate } from './erasure/certificate';
import { session } from './sources';
import { useShown } from './store';

/** How often the certificate is asked for while the destruction goes on, and how many times. */
const POLL_MS = 3_000;
const POLLS = 100;

export function Erased({ problem, leave }: { problem: Problem; leave: () => void }) {
  const certificate = typeof problem.certificate === 'string' ? problem.certificate : undefined;
  const { reload } = useShown(session);
  useEffect(() => {
    document.title = `${problem.title} · user-api`;
    if (certificate !== undefined) {
      return;
    }
    let left = POLLS;
    const timer = setInterval(() => {
      left -= 1;
      if (left >= 0) {
        reload();
      }
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [certificate]);
  return (
    <main class="alone alone-wide">
      <h1>{problem.title}</h1>
      {problem.detail !== problem.title && <p>{problem.detail}</p>}
      {certificate === undefined ? (
        <p role="status">The destruction is not complete yet. Its certificate will stand here once it is.</p>
      ) : (
        <div class="card">
          <p>This certificate, signed by the service, says what was destroyed and what is kept. Keep it: it proves the erasure.</p>
          <Certificate text={certificate} />
        </div>
      )}
      {token() !== undefined && (
        <button type="button" class="button" onClick={leave}>
          Sign out
        </button>
      )}
    </main>
  );
}
