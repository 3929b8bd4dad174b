// The filters of the list of customers.
import { SelectField, TextField } from '../parts/field';

const STATUSES = [['', 'Any'], ['active', 'Active'], ['pending_verification', 'E-mail not verified'], ['suspended', 'Suspended'], ['cancelled', 'Cancelled']] as const;
const PLANS = [['', 'Any'], ['free', 'Free'], ['starter', 'Starter'], ['pro', 'Pro'], ['enterprise', 'Enterprise']] as const;

export interface ListFilterValues {
  readonly status: (typeof STATUSES)[number][0];
  readonly plan: (typeof PLANS)[number][0];
  readonly email: string;
  /** Days, as `date` fields have them. */
  readonly after: string;
  readonly before: string;
}

export const NO_FILTERS: ListFilterValues = { status: '', plan: '', email: '', after: '', before: '' };

/** The first moment of a day in the reader's time zone. */
function day(text: string): { at: string } | undefined {
  const date = new Date(`${text}T00:00`);
  return text === '' || Number.isNaN(date.getTime()) ? undefined : { at: date.toISOString() };
}

export function queryOf({ status, plan, email, after, before }: ListFilterValues) {
  const [from, to] = [day(after)?.at, day(before)?.at];
  return {
    ...(status === '' ? {} : { status }),
    ...(plan === '' ? {} : { plan }),
    // Half an address is no address yet.
    ...(/.@./.test(email) ? { email: email.trim() } : {}),
    ...(from === undefined ? {} : { createdAfter: from }),
    ...(to === undefined ? {} : { createdBefore: to }),
  };
}

export function ListFilters({ filters, change }: { filters: ListFilterValues; change: (filters: ListFilterValues) => void }) {
  const set = (name: keyof ListFilterValues) => (value: string) => change({ ...filters, [name]: value } as ListFilterValues);
  const isAny = JSON.stringify(filters) === JSON.stringify(NO_FILTERS);
  return (
    <form class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <TextField label="E-mail, exactly" type="email" autocomplete="off" value={filters.email} onChange={set('email')} />
      <SelectField label="Status" value={filters.status} options={STATUSES} onChange={set('status')} />
      <SelectField label="Plan" value={filters.plan} options={PLANS} onChange={set('plan')} />
      <TextField label="Created after" type="date" value={filters.after} onChange={set('after')} />
      <TextField label="Created before" type="date" value={filters.before} onChange={set('before')} />
      <button type="button" class="button" disabled={isAny} onClick={() => change(NO_FILTERS)}>
        Clear
      </button>
    </form>
  );
}
