// The customer's profile and status, and the form that changes what a user may change.
import { api } from '../api';
import { Conflict } from '../edit/conflict';
import { useDraft } from '../edit/draft';
import { Badge, Plan } from '../parts/badge';
import { Card, Fact, Facts } from '../parts/card';
import { Copy } from '../parts/copy';
import { Loaded } from '../parts/loaded';
import { Page } from '../parts/page';
import { Time } from '../parts/time';
import { customer } from '../sources';
import type { Customer } from '../sources';
import { useResource } from '../store';
import { differences, draftOf, patchFrom } from './profile-draft';
import { ProfileForm } from './profile-form';

export function Profile() {
  const who = useResource(customer);
  const editing = useDraft({
    resource: who,
    draftOf,
    read: customer.load,
    save: (draft, base, etag) => api().patch('/customer/me', { body: patchFrom(base, draft), ...(etag === undefined ? {} : { ifMatch: etag }) }),
  });
  const { draft, theirs } = editing;
  return (
    <Page title="Profile">
      <div class="columns columns-wide">
        <Card title="Edit">
          <Loaded of={who} what="the profile" lines={6}>
            {(data) =>
              draft !== undefined && (
                <>
                  {theirs !== undefined && (
                    <Conflict
                      differences={differences(draft, theirs.data)}
                      changedAt={theirs.data.updatedAt}
                      isBusy={editing.action.isBusy}
                      takeTheirs={editing.takeTheirs}
                      keepMine={editing.keepMine}
                    />
                  )}
                  <ProfileForm editing={editing} draft={draft} isDisabled={data.status !== 'active'} />
                </>
              )
            }
          </Loaded>
        </Card>
        <Card title="Status">
          <Loaded of={who} what="the status" lines={5}>
            {(data) => <Standing of={data} />}
          </Loaded>
        </Card>
      </div>
    </Page>
  );
}

/** What only administrators change, or nobody. */
export function Standing({ of }: { of: Customer }) {
  const features = Object.entries(of.features);
  return (
    <Facts>
      <Fact name="Customer id">
        <code>{of.customerId}</code> <Copy text={of.customerId} what="the customer id" isSmall />
      </Fact>
      <Fact name="E-mail">{of.email}</Fact>
      <Fact name="Status">
        <Badge state={of.status} />
        {of.statusReason !== null && <p class="reason">{of.statusReason}</p>}
        <p class="hint">
          since <Time at={of.statusChangedAt} />
        </p>
      </Fact>
      <Fact name="Plan">
        <Plan plan={of.plan} />
      </Fact>
      {features.length > 0 && (
        <Fact name="Features">
          <ul class="chips">
            {features.map(([name, isOn]) => (
              <li key={name} class={isOn ? 'chip' : 'chip chip-off'}>
                {name}
                {isOn ? '' : ': off'}
              </li>
            ))}
          </ul>
        </Fact>
      )}
      <Fact name="Created">
        <Time at={of.createdAt} />
      </Fact>
      <Fact name="Last changed">
        <Time at={of.updatedAt} />
      </Fact>
      <Fact name="Last seen">{of.lastSeenAt === null ? 'No user came yet' : <Time at={of.lastSeenAt} />}</Fact>
    </Facts>
  );
}
