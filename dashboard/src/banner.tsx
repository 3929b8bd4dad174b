// What concerns every page of the customer: that it is not active, and that its erasure is coming.
import { Time } from './parts/time';
import { customer, session } from './sources';
import type { Status } from './sources';
import { useResource, useShown } from './store';

const MEANING: Readonly<Partial<Record<Status, readonly [string, string]>>> = {
  suspended: ['This customer is suspended', 'You can still read everything, export it and ask for its erasure. Changes are refused and API keys do not work.'],
  cancelled: ['This customer is cancelled', 'You can still read everything, export it and ask for its erasure. Changes are refused and API keys do not work.'],
  pending_verification: ['The e-mail address is not verified yet', 'Until it is, you can read but change nothing. Signing in with the verified address is enough.'],
};

export function Banner() {
  const { data } = useResource(customer);
  // The session tells every user; the erasure itself is the owner's to read.
  const due = useShown(session).data?.erasureDueAt ?? null;
  const [title, text] = (data === undefined ? undefined : MEANING[data.status]) ?? [];
  return (
    <div role="status">
      {title !== undefined && (
        <div class="banner banner-bad">
          <p>
            <strong>{title}</strong>
            {data?.statusReason != null && <>: {data.statusReason}</>}
          </p>
          <p>{text}</p>
        </div>
      )}
      {due !== null && (
        <div class="banner">
          <p>
            <strong>Everything will be erased</strong> on <Time at={due} />. <a href="#/data">Look at it</a>
          </p>
        </div>
      )}
    </div>
  );
}
