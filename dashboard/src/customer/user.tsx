// The signed-in user, and its preferences. Each is read, saved and fails by itself.
import { api } from '../api';
import { Conflict } from '../edit/conflict';
import { useDraft } from '../edit/draft';
import { Card, Fact, Facts } from '../parts/card';
import { Copy } from '../parts/copy';
import { TextField } from '../parts/field';
import { Form } from '../parts/form';
import { Loaded } from '../parts/loaded';
import { Page } from '../parts/page';
import { Time } from '../parts/time';
import { customer, user } from '../sources';
import type { User } from '../sources';
import { useResource } from '../store';
import { PreferencesCard } from './preferences';
import { ZONES, ZoneList } from './zones';

interface UserDraft {
  readonly displayName: string;
  readonly locale: string;
  readonly timeZone: string;
}

const FIELDS = [
  ['displayName', 'Display name', 'What others see, at most 100 characters.'],
  ['locale', 'Language and region', 'A language tag such as en-GB or de.'],
  ['timeZone', 'Time zone', 'A name such as Europe/Berlin.'],
] as const;

const draftOf = ({ displayName, locale, timeZone }: User): UserDraft => ({
  displayName: displayName ?? '',
  locale: locale ?? '',
  timeZone: timeZone ?? '',
});

function patchFrom(base: UserDraft, draft: UserDraft) {
  const changed = FIELDS.filter(([field]) => base[field] !== draft[field]);
  return Object.fromEntries(changed.map(([field]) => [field, draft[field] === '' ? null : draft[field]]));
}

export function UserView() {
  const me = useResource(user);
  const whole = useResource(customer);
  const isActive = whole.data === undefined || whole.data.status === 'active';
  const { draft, theirs, ...editing } = useDraft({
    resource: me,
    draftOf,
    read: user.load,
    save: (wanted, base, etag) => api().patch('/user/me', { body: patchFrom(base, wanted), ...(etag === undefined ? {} : { ifMatch: etag }) }),
  });
  return (
    <Page title="You and preferences" lead="You are one of the users of this customer. What stands here is yours alone.">
      <ZoneList />
      <div class="columns">
        <Card title="You">
          <Loaded of={me} what="the user" lines={6}>
            {(data) => (
              <>
                <Facts>
                  <Fact name="User id">
                    <code>{data.userId}</code> <Copy text={data.userId} what="the user id" isSmall />
                  </Fact>
                  <Fact name="E-mail">{data.email ?? 'Your token has no verified address'}</Fact>
                  <Fact name="Here since">
                    <Time at={data.createdAt} />
                  </Fact>
                </Facts>
                {theirs !== undefined && draft !== undefined && (
                  <Conflict
                    differences={FIELDS.map(([field, name]) => ({ name, mine: draft[field], theirs: draftOf(theirs.data)[field] })).filter(
                      (each) => each.mine !== each.theirs,
                    )}
                    changedAt={theirs.data.updatedAt}
                    isBusy={editing.action.isBusy}
                    takeTheirs={editing.takeTheirs}
                    keepMine={editing.keepMine}
                  />
                )}
                {draft !== undefined && (
                  <Form action={editing.action} submit="Save" isDisabled={!isActive} isSaved={editing.isSaved} shown={FIELDS.map(([field]) => `#/${field}`)}>
                    {FIELDS.map(([field, label, hint]) => (
                      <TextField
                        key={field}
                        label={label}
                        hint={hint}
                        value={draft[field]}
                        fault={editing.action.faults.get(`#/${field}`)}
                        onChange={(value) => editing.set({ [field]: value })}
                        {...(field === 'timeZone' ? { list: ZONES } : {})}
                      />
                    ))}
                  </Form>
                )}
              </>
            )}
          </Loaded>
        </Card>
        <PreferencesCard isDisabled={!isActive} />
      </div>
    </Page>
  );
}
