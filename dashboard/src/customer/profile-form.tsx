// The fields of the profile that a user may change.
import type { Editing } from '../edit/draft';
import { Pairs } from '../edit/pairs';
import { TextField } from '../parts/field';
import { Form } from '../parts/form';
import type { Customer } from '../sources';
import { FIELDS } from './profile-draft';
import type { ProfileDraft } from './profile-draft';

const SHOWN = [...FIELDS.map(([field]) => `#/${field}`), '#/metadata'];
const HINTS = {
  name: 'The person or contact, at most 200 characters.',
  companyName: 'At most 200 characters.',
  displayName: 'What others see, at most 100 characters.',
} as const;

export function ProfileForm({ editing, draft, isDisabled }: {
  editing: Editing<Customer, ProfileDraft>;
  draft: ProfileDraft;
  isDisabled: boolean;
}) {
  const { action, set, isChanged, isSaved, reset } = editing;
  return (
    <Form
      action={action}
      submit="Save"
      isDisabled={isDisabled}
      isSaved={isSaved}
      shown={SHOWN}
      more={
        isChanged && (
          <button type="button" class="button" onClick={reset}>
            Discard
          </button>
        )
      }
    >
      {FIELDS.map(([field, label]) => (
        <TextField key={field} label={label} hint={HINTS[field]} value={draft[field]} fault={action.faults.get(`#/${field}`)} onChange={(value) => set({ [field]: value })} />
      ))}
      <Pairs
        title="Metadata"
        hint="Anything that your own programs want to find here: at most 50 names of 40 characters."
        pairs={draft.metadata}
        change={(metadata) => set({ metadata })}
        faults={action.faults}
        pointer="#/metadata"
      />
    </Form>
  );
}
