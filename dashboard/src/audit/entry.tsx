// One entry of a log: who did what, when; unfolded also from where, and what changed.
import { Copy } from '../parts/copy';
import { Time } from '../parts/time';
import { ACTORS, actionWords, outcomeWords } from './words';
import type { Fold } from './words';

interface Change {
  readonly before?: unknown;
  readonly after?: unknown;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  if (value === null || value === undefined) {
    return 'not set';
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function Entry({ fold: { entry, times } }: { fold: Fold }) {
  const isOk = entry.outcome === 'ok';
  // That there is none is an answer, no refusal.
  const isAbsent = entry.outcome.endsWith('_not_found');
  return (
    <li class="entry">
      <details>
        <summary>
          <span class={`actor actor-${entry.actor.kind}`}>{ACTORS[entry.actor.kind] ?? entry.actor.kind}</span>
          <span class="entry-what">
            {actionWords(entry.action)}
            {times > 1 && <span class="hint"> {times} times</span>}
            {!isOk && <span class={`badge badge-${isAbsent ? 'calm' : 'bad'}`}>{outcomeWords(entry.outcome)}</span>}
          </span>
          <Time at={entry.at} isExact />
        </summary>
        <dl class="facts entry-more">
          <Line name="Who" value={entry.actor.id} />
          <Line name="On what" value={entry.target} />
          <Line name="Number" value={String(entry.seq)} />
          <Line name="Request" value={entry.requestId} />
          <Detail detail={entry.detail} />
          <Line name="Hash" value={entry.hash} />
        </dl>
      </details>
    </li>
  );
}

function Line({ name, value }: { name: string; value: string }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>
        <code>{value}</code> <Copy text={value} what={name.toLowerCase()} isSmall />
      </dd>
    </div>
  );
}

const NAMES: Readonly<Record<string, string>> = { ip: 'Address', userAgent: 'Program', jti: 'Token', callerRequestId: 'Caller’s own id' };

function Detail({ detail }: { detail: Record<string, unknown> | null }) {
  if (detail === null) {
    return (
      <div class="fact">
        <dt>Details</dt>
        <dd class="unset">No longer kept, or not yours to see</dd>
      </div>
    );
  }
  const { changed, ...rest } = detail;
  return (
    <>
      {Object.entries(rest).map(([name, value]) => (
        <div class="fact" key={name}>
          <dt>{NAMES[name] ?? name}</dt>
          <dd>{shown(value)}</dd>
        </div>
      ))}
      {isObject(changed) &&
        Object.entries(changed).map(([field, change]) => (
          <div class="fact" key={field}>
            <dt>
              Changed <code>{field}</code>
            </dt>
            <dd>
              <Changed change={isObject(change) ? change : {}} />
            </dd>
          </div>
        ))}
    </>
  );
}

function Changed({ change }: { change: Change }) {
  return (
    <>
      <del>{shown(change.before)}</del> <span aria-hidden="true">→</span> <ins>{shown(change.after)}</ins>
    </>
  );
}
