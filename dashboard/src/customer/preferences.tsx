// The preferences of the signed-in user. A theme that is chosen here is the dashboard's, too.
import { useEffect } from 'preact/hooks';
import { api } from '../api';
import { Conflict } from '../edit/conflict';
import { useDraft } from '../edit/draft';
import { Card } from '../parts/card';
import { CheckField, SelectField, TextField } from '../parts/field';
import { Form } from '../parts/form';
import { Loaded } from '../parts/loaded';
import { preferences } from '../sources';
import { useResource } from '../store';
import { applyTheme } from '../theme';
import { LABELS, SHOWN, differences, draftOf, patchFrom } from './preferences-draft';
import { ZONES } from './zones';

const THEMES = [['system', 'As the system'], ['light', 'Light'], ['dark', 'Dark']] as const;
const VISIBILITY = [['private', 'Only to me'], ['public', 'To everybody']] as const;

export function PreferencesCard({ isDisabled }: { isDisabled: boolean }) {
  const read = useResource(preferences);
  const theme = read.data?.theme;
  useEffect(() => {
    if (theme !== undefined) {
      applyTheme(theme);
    }
  }, [theme]);
  const { draft, theirs, set, action, ...editing } = useDraft({
    resource: read,
    draftOf,
    read: preferences.load,
    save: (wanted, base, etag) =>
      api().patch('/user/me/preferences', { body: patchFrom(base, wanted), ...(etag === undefined ? {} : { ifMatch: etag }) }),
  });
  const fault = (field: string): string | undefined => action.faults.get(`#/${field}`);
  return (
    <Card title="Preferences">
      <Loaded of={read} what="the preferences" lines={7}>
        {() =>
          draft !== undefined && (
            <>
              {theirs !== undefined && (
                <Conflict
                  differences={differences(draft, theirs.data)}
                  isBusy={action.isBusy}
                  takeTheirs={editing.takeTheirs}
                  keepMine={editing.keepMine}
                />
              )}
              <Form action={action} submit="Save preferences" isDisabled={isDisabled} isSaved={editing.isSaved} shown={SHOWN}>
                <SelectField label={LABELS.theme} hint="Also of this dashboard." value={draft.theme} options={THEMES} fault={fault('theme')} onChange={(value) => set({ theme: value as typeof draft.theme })} />
                <TextField label={LABELS.language} hint="A language tag such as en-GB or de." value={draft.language} fault={fault('language')} onChange={(language) => set({ language })} />
                <TextField label={LABELS.timeZone} hint="A name such as Europe/Berlin." list={ZONES} value={draft.timeZone} fault={fault('timeZone')} onChange={(timeZone) => set({ timeZone })} />
                <SelectField label={LABELS.emailVisibility} value={draft.emailVisibility} options={VISIBILITY} fault={fault('emailVisibility')} onChange={(value) => set({ emailVisibility: value as typeof draft.emailVisibility })} />
                <fieldset class="pairs">
                  <legend>Notifications</legend>
                  <CheckField label="About my account, by e-mail" checked={draft.email} onChange={(email) => set({ email })} />
                  <CheckField label="About the product" checked={draft.product} onChange={(product) => set({ product })} />
                  <CheckField label="About security" checked={draft.security} onChange={(security) => set({ security })} />
                </fieldset>
              </Form>
            </>
          )
        }
      </Loaded>
    </Card>
  );
}
