// One API key, and what can be done with it.
import { Badge } from '../parts/badge';
import { Time, duration } from '../parts/time';
import type { ApiKey } from '../sources';

interface Props {
  readonly apiKey: ApiKey;
  readonly isDisabled: boolean;
  readonly rotate: () => void;
  readonly revoke: () => void;
}

export function KeyRow({ apiKey, isDisabled, rotate, revoke }: Props) {
  const { name, prefix, last4, status, scopes, createdAt, expiresAt, lastUsedAt, limit, allowedOrigins } = apiKey;
  const works = status === 'active' || status === 'rotated';
  return (
    <li class={works ? 'key' : 'key key-ended'}>
      <div class="key-head">
        <h3>{name}</h3>
        <Badge state={status} />
        {works && (
          <div class="key-actions">
            {status === 'active' && (
              <button type="button" class="button" disabled={isDisabled} onClick={rotate} aria-label={`Rotate ${name}`}>
                Rotate
              </button>
            )}
            <button type="button" class="button button-danger-quiet" disabled={isDisabled} onClick={revoke} aria-label={`Revoke ${name}`}>
              Revoke
            </button>
          </div>
        )}
      </div>
      <p class="key-text">
        <code>
          {prefix}…{last4}
        </code>
      </p>
      <ul class="chips" aria-label="Scopes">
        {scopes.map((scope) => (
          <li class="chip" key={scope}>
            {scope}
          </li>
        ))}
      </ul>
      <p class="hint">
        Made <Time at={createdAt} /> · {lastUsedAt === null ? 'never used' : <>last used <Time at={lastUsedAt} /></>}
        {expiresAt !== null && (
          <>
            {' '}
            · {Date.parse(expiresAt) > Date.now() ? 'works until' : 'ended'} <Time at={expiresAt} />
          </>
        )}
        {limit !== null && <> · at most {limit.q} requests in {duration(limit.w)}</>}
        {allowedOrigins.length > 0 && <> · only from {allowedOrigins.join(', ')}</>}
      </p>
    </li>
  );
}
