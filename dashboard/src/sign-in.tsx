// Signing in: by pasting a token in development; otherwise the login service sets a cookie.
import { useEffect, useRef, useState } from 'preact/hooks';
import { isProblem } from '@user-api/client';
import { api, takesTokens } from './api';
import { AreaField } from './parts/field';

const TOKEN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** What to say; nothing to who was simply not signed in yet. */
function reason(error: unknown): string | undefined {
  if (!isProblem(error) || error.code === 'authentication_required') {
    return undefined;
  }
  return error.code === 'token_expired' ? 'Your session has ended. Sign in again; you will come back to where you were.' : error.message;
}

export function SignIn({ error, enter }: { error: unknown; enter: (token?: string) => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = 'Sign in · user-api';
    heading.current?.focus();
  }, []);
  const why = reason(error);
  return (
    <main class="alone">
      <p class="brand-name">
        <span class="brand-mark" aria-hidden="true" />
        user-api
      </p>
      <h1 ref={heading} tabIndex={-1}>
        Sign in
      </h1>
      {why !== undefined && (
        <p class="banner banner-bad" role="alert">
          {why}
        </p>
      )}
      {takesTokens ? <Paste enter={enter} /> : <Elsewhere enter={enter} />}
    </main>
  );
}

function Paste({ enter }: { enter: (token: string) => void }) {
  const [text, setText] = useState('');
  const [fault, setFault] = useState<string | undefined>(undefined);
  const submit = (event: Event): void => {
    event.preventDefault();
    // Whatever was copied along: line breaks, `TOKEN=`, `Bearer`.
    const token = text.replace(/\s+/g, '').replace(/^(TOKEN=|Authorization:)?(Bearer)?/i, '');
    if (TOKEN.test(token)) {
      enter(token);
    } else {
      setFault('This is no token. A token has three parts with dots between them.');
    }
  };
  return (
    <form class="card" onSubmit={submit} noValidate>
      <AreaField
        label="Token"
        hint="This service runs in development: make dev and make token print tokens. It stays in this tab until you close it."
        fault={fault}
        value={text}
        onChange={setText}
        rows={5}
      />
      <div class="form-foot">
        <button type="submit" class="button button-main">
          Sign in
        </button>
      </div>
    </form>
  );
}

/** Where the login service is, as far as this service tells. */
function Elsewhere({ enter }: { enter: () => void }) {
  const [issuers, setIssuers] = useState<readonly string[]>([]);
  useEffect(() => {
    api()
      .get('/.well-known/oauth-protected-resource')
      .then(({ data }) => setIssuers(data.authorization_servers ?? []))
      .catch(() => {});
  }, []);
  return (
    <div class="card">
      <p>Sign in where you always do; this page then opens by itself with that session.</p>
      <div class="form-foot">
        {issuers.map((issuer) => (
          <a class="button button-main" href={issuer} key={issuer}>
            Go to {new URL(issuer).host}
          </a>
        ))}
        <button type="button" class="button" onClick={() => enter()}>
          I have signed in
        </button>
      </div>
    </div>
  );
}
