// The erasure of the customer: asked for, its clock, and taken back; for the owner. Other users see that it is coming.
import { useEffect, useState } from 'preact/hooks';
import { useAction } from '../action';
import { api } from '../api';
import { Card } from '../parts/card';
import { Failure } from '../parts/failure';
import { Loaded } from '../parts/loaded';
import { ForOwner } from '../parts/owner';
import { Time, useNow } from '../parts/time';
import { erasure, session } from '../sources';
import type { Erasure, Session } from '../sources';
import { useResource, useShown } from '../store';
import { AskErasure } from './ask';
import { Clock } from './clock';

/** How often it is asked whether the customer is erased, once that is due, and how many times. */
const POLL_MS = 3_000;
const POLLS = 100;

export function ErasureCard() {
  const who = useShown(session);
  return (
    <Card title="Erasure" isDanger>
      <Loaded of={who} what="the erasure" lines={3}>
        {(data) => <Standing who={data} />}
      </Loaded>
    </Card>
  );
}

function Standing({ who }: { who: Session }) {
  const shown = useShown(session);
  const isScheduled = who.erasureDueAt !== null;
  // The service is asked only where there is something to read, and who may.
  const read = useResource(erasure, who.isOwner && isScheduled);
  const put = (data: Erasure | null): void => {
    read.put({ data, etag: undefined });
    shown.put({ data: { ...who, erasureDueAt: data?.dueAt ?? null }, etag: undefined });
  };
  if (!who.isOwner) {
    return who.erasureDueAt === null ? (
      <ForOwner what="have it erased">{null}</ForOwner>
    ) : (
      <>
        <p>
          Everything of this customer will be erased on <Time at={who.erasureDueAt} isExact />.
        </p>
        <ForOwner what="withdraw that">{null}</ForOwner>
      </>
    );
  }
  if (!isScheduled) {
    return <Ask customerId={who.customerId} put={put} />;
  }
  return (
    <Loaded of={read} what="the erasure" lines={3}>
      {(data) => (data === null ? <Ask customerId={who.customerId} put={put} /> : <Scheduled of={data} put={put} reload={shown.reload} />)}
    </Loaded>
  );
}

function Ask({ customerId, put }: { customerId: string; put: (erasure: Erasure | null) => void }) {
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <p>
        Erasing destroys everything that is kept about this customer: the profile, all users, keys, preferences and the log’s details. It happens after a
        time in which you can withdraw it, and is certified afterwards. Export first what you want to keep.
      </p>
      <button type="button" class="button button-danger-quiet" onClick={() => setAsking(true)}>
        Erase this customer…
      </button>
      {isAsking && (
        <AskErasure
          customerId={customerId}
          close={() => setAsking(false)}
          done={(data) => {
            setAsking(false);
            put(data);
          }}
        />
      )}
    </>
  );
}

/** Once it is due, the session is asked until it is gone: the page then shows the certificate. */
function useEnd(isDue: boolean, reload: () => void): void {
  useEffect(() => {
    if (!isDue) {
      return;
    }
    let left = POLLS;
    reload();
    const timer = setInterval(() => {
      left -= 1;
      if (left >= 0) {
        reload();
      }
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [isDue]);
}

function Scheduled({ of, put, reload }: { of: Erasure; put: (erasure: Erasure | null) => void; reload: () => void }) {
  const isDue = useNow() >= Date.parse(of.dueAt);
  useEnd(isDue, reload);
  const withdraw = useAction(async () => {
    await api().delete('/customer/me/erasure');
    put(null);
  });
  const isByAdmin = of.requestedBy === 'administrator';
  return (
    <>
      <Clock erasure={of} />
      {withdraw.error !== undefined && <Failure error={withdraw.error} />}
      {isByAdmin && <p>An administrator asked for it, so only an administrator can withdraw it. Tell whoever runs the service if that is a mistake.</p>}
      {!isByAdmin && !isDue && (
        <button type="button" class="button button-main" disabled={withdraw.isBusy} onClick={() => void withdraw.run()}>
          {withdraw.isBusy ? 'One moment…' : 'Withdraw the erasure'}
        </button>
      )}
    </>
  );
}
