// What is left to show of an erased customer: that it is gone, and the certificate of it.
import type { Problem } from '@user-api/client';
import { token } from './api';
import { Copy } from './parts/copy';

export function Erased({ problem, leave }: { problem: Problem; leave: () => void }) {
  const { certificate } = problem;
  return (
    <main class="alone">
      <h1>{problem.title}</h1>
      <p>{problem.detail}</p>
      {typeof certificate === 'string' ? (
        <>
          <p>This certificate, signed by the service, says what was destroyed and what is kept. Keep it: it proves the erasure.</p>
          <pre class="secret">{certificate}</pre>
          <p>
            <Copy text={certificate} what="the certificate" />
          </p>
        </>
      ) : (
        <p>The destruction is not complete yet. Its certificate will stand here once it is.</p>
      )}
      {token() !== undefined && (
        <button type="button" class="button" onClick={leave}>
          Sign out
        </button>
      )}
    </main>
  );
}
